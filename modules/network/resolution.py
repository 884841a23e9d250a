"""What a VPC that exists must have so that names in it resolve."""

from __future__ import annotations

from cdktf import Postcondition, TerraformResourceLifecycle

DNS = {
    "enable_dns_support": ("DNS support", "--enable-dns-support"),
    "enable_dns_hostnames": ("DNS host names", "--enable-dns-hostnames"),
}
"""A VPC's attributes, what AWS calls them, and the options of ``aws ec2 modify-vpc-attribute`` that set them."""


def resolves_names() -> TerraformResourceLifecycle:
    """Refuse a VPC without DNS support or DNS host names, at the plan, in the data source that reads it.

    Private hosted zones, in which an engine's parts and interface endpoints have their names, need both (Amazon Route
    53 Developer Guide, "Considerations when working with a private hosted zone"), S3's gateway endpoint the first
    (Amazon VPC User Guide, "Gateway endpoints for Amazon S3").
    """
    return TerraformResourceLifecycle(
        postcondition=[
            Postcondition(
                condition=f"${{self.{attribute}}}",
                error_message=f"the VPC ${{self.id}} has no {name}; must have it: aws ec2 modify-vpc-attribute "
                f"--vpc-id ${{self.id}} {option}",
            )
            for attribute, (name, option) in DNS.items()
        ]
    )
