"""The floor: cdktf, the provider's full assembly and an empty stack, with the provider's submodule only."""

import os

os.environ["SCYTHE_AWS_FULL_ASSEMBLY"] = "1"

import synthesis  # noqa: F401  (the import seam, so before the bindings)

# isort: split
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider

app = App()
AwsProvider(TerraformStack(app, "empty"), "aws", region="us-east-1")
app.synth()
