"""Certificates that the local AWS holds from its start, by ARN: ACM's own API draws the ARN."""

from __future__ import annotations

from moto.acm.models import CertBundle, acm_backends

DOMAIN = "local-aws.example.org"


def hold_certificate(arn: str) -> None:
    """Have ACM hold a certificate with this ARN, which a load balancer's listener may then name.

    Args:
        arn: of a certificate, of any account and region.
    """
    _, _, _, region, account_id, _ = arn.split(":", 5)
    certificate = CertBundle.generate_cert(DOMAIN, account_id, region)
    certificate.arn, certificate.status = arn, "ISSUED"
    acm_backends[account_id][region]._certificates[arn] = certificate
