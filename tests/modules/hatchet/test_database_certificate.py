"""Who vouches for the database's certificate, and that everything that connects to it asks."""

from __future__ import annotations

import datetime
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from environments.errors import EnvironmentFileError
from environments.loading import load
from environments.regions import REGIONS
from modules.hatchet.authorities import MOST_CHARACTERS, authorities
from tests.support.certificates import authority
from tests.support.fargate import binaries
from tests.support.fargate.postgres import postgres
from tests.support.project import SELF_HOSTED


@pytest.mark.parametrize("region", sorted(authorities()))
def test_an_authority_is_the_regions_own(region: str) -> None:
    certificate = x509.load_pem_x509_certificate(authorities()[region].encode())
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == f"Amazon RDS {region} Root CA RSA2048 G1"
    certificate.verify_directly_issued_by(certificate)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert isinstance(key := certificate.public_key(), RSAPublicKey) and key.key_size == 2048
    assert certificate.not_valid_after_utc > datetime.datetime(2061, 1, 1, tzinfo=datetime.UTC)


def test_authorities_are_of_regions_that_there_are() -> None:
    assert set(authorities()) < set(REGIONS)
    assert len(authorities()) == 28


def test_whatever_connects_to_the_database_checks_its_certificate(
    templates: dict[str, dict[str, Any]],
) -> None:
    definitions = templates["hatchet"]["resource"]["aws_ecs_task_definition"]
    urls = {name: item["container_definitions"] for name, item in definitions.items()}
    for name, path in {"engine": "/tls", "api": "/tls", "setup": "/setup"}.items():
        assert f"?sslmode=verify-full&sslrootcert={path}/database.pem" in urls[name]
        assert "local.database_certificate" in urls[name]
    assert not any("sslmode=require" in text for text in urls.values())
    assert templates["hatchet"]["resource"]["aws_db_instance"]["database"]["ca_cert_identifier"] == (
        "rds-ca-rsa2048-g1"
    )


def environment(folder: Path, region: str, **database: object) -> Path:
    data = yaml.safe_load(SELF_HOSTED.read_text())
    del data["hatchet"]["certificate_arn"], data["workers"]["simulations"]["secrets"]
    data["hatchet"]["zone_id"] = "Z0123456789ABC"
    data["region"] = region
    data["hatchet"]["database"] |= database
    file = folder / "prod.yaml"
    file.write_text(yaml.safe_dump(data))
    return file


def test_a_region_without_a_known_authority_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFileError) as refused:
        load(environment(tmp_path, "ca-west-1"))
    assert "hatchet.database.ca_certificate" in str(refused.value)
    assert "truststore.pki.rds.amazonaws.com" in str(refused.value)
    given = authority()
    loaded = load(environment(tmp_path, "ca-west-1", ca_certificate=given))
    assert loaded.hatchet.database.ca_certificate == given


@pytest.mark.parametrize(
    "given", ["", "rds-ca-rsa2048-g1", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
              authority() * (MOST_CHARACTERS // len(authority()) + 1)],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(EnvironmentFileError, match="certificates in PEM"):
        load(environment(tmp_path, "eu-west-1", ca_certificate=given))


@pytest.mark.skipif(bool(binaries.missing_postgres()), reason=binaries.missing_postgres())
def test_psql_connects_with_the_right_authority_and_name_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(authority())
    folder = binaries.postgres_binaries()
    assert folder
    with postgres(tmp_path) as server:
        server.create_role("hatchet", "password", "hatchet")

        def said(host: str, certificate: Path) -> str:
            tls = f"sslmode=verify-full&sslrootcert={certificate}&hostaddr={server.host}"
            url = f"postgresql://hatchet@{host}:{server.port}/hatchet?{tls}"
            return subprocess.run(
                [folder / "psql", "-XAtc", "SELECT 'in'", url],
                env={**os.environ, "PGPASSWORD": "password"}, capture_output=True, text=True,
            ).stderr  # fmt: skip

        assert not said(server.host, server.certificate)
        assert "certificate verify failed" in said(server.host, other)
        assert "does not match host name" in said("other.example.org", server.certificate)
        assert "does not exist" in said(server.host, tmp_path / "none.pem")
