"""The domain's certificate and records, where its Route 53 zone is named."""

from __future__ import annotations

from cdktf import Postcondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.acm_certificate import AcmCertificate
from cdktf_cdktf_provider_aws.acm_certificate_validation import AcmCertificateValidation
from cdktf_cdktf_provider_aws.data_aws_route53_zone import DataAwsRoute53Zone
from cdktf_cdktf_provider_aws.route53_record import Route53Record, Route53RecordAlias
from constructs import Construct

from modules.common.presence import is_given
from modules.hatchet.settings import HatchetSettings
from synthesis.expression import Expression, number, ref, text, when
from synthesis.functions import choose
from synthesis.literals import hcl
from synthesis.stack import Label


class Certificate(Construct):
    """The certificate of ``certificate_arn``; with ``zone_id`` one that is issued, validated and renewed by ACM.

    Attributes:
        arn: of the certificate; null without a domain.
    """

    def __init__(
        self, scope: Construct, id_: str, *, label: Label, settings: HatchetSettings, balancer: Expression
    ) -> None:
        super().__init__(scope, id_)
        is_made = is_given(settings.create_certificate, settings.zone_id)
        wanted = when(is_made)
        # Terraform asks for values whatever the count.
        domain, zone = (f'coalesce({value}, "none")' for value in (settings.domain, settings.zone_id))
        self._require_public_zone(zone, domain, wanted)
        certificate = AcmCertificate(
            self,
            "Certificate",
            count=wanted,
            domain_name=text(domain),
            validation_method="DNS",
            tags=label.tagged(),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        option = Expression(f"tolist({ref(certificate)}[0].domain_validation_options)[0]")
        proof = Route53Record(
            self,
            "proof",
            count=wanted,
            zone_id=text(zone),
            name=text(option.resource_record_name),
            type=text(option.resource_record_type),
            records=[text(option.resource_record_value)],
            ttl=number(300),
            allow_overwrite=True,
        )
        valid = AcmCertificateValidation(
            self,
            "Validation",
            count=wanted,
            certificate_arn=text(ref(certificate)[0].arn),
            validation_record_fqdns=[text(ref(proof)[0].fqdn)],
        )
        Route53Record(
            self,
            "Record",
            count=wanted,
            zone_id=text(zone),
            name=text(domain),
            type="A",
            alias=Route53RecordAlias(
                name=text(balancer.dns_name), zone_id=text(balancer.zone_id), evaluate_target_health=False
            ),
        )
        self.arn = Expression(hcl(choose(is_made, ref(valid)[0].certificate_arn, settings.certificate_arn)))

    def _require_public_zone(self, zone: str, domain: str, wanted: float) -> None:
        """Refuse, at the plan, a zone in which ACM would look for its record in vain, for 75 minutes.

        ACM asks the public DNS (AWS Certificate Manager User Guide, "DNS validation").
        """
        DataAwsRoute53Zone(
            self,
            "Zone",
            count=wanted,
            zone_id=text(zone),
            lifecycle=TerraformResourceLifecycle(
                postcondition=[
                    Postcondition(
                        # Null in tests of modules, which override what the provider computes alone.
                        condition="${self.private_zone != true}",
                        error_message="the zone ${self.zone_id} (hatchet.zone_id) is private; must be a public hosted "
                        "zone, in which ACM can validate the certificate",
                    ),
                    Postcondition(
                        condition=text(f'endswith(".${{{domain}}}", ".${{trimsuffix(self.name, ".")}}")'),
                        error_message=f"the zone ${{self.zone_id}} (hatchet.zone_id) is of ${{self.name}}, which does "
                        f"not hold the domain ${{{domain}}}; must be the domain's own zone or one above it",
                    ),
                ]
            ),
        )
