"""Files with wrong values, of what stands beside the fleets."""

from __future__ import annotations

from tests.environments.malformed.text import SOUND

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"
KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
SELF_HOSTED = (
    "mode: self_hosted, domain: h.example.org, admin_email: a@example.org, "
    "certificate_arn: 'arn:aws:acm:us-east-1:123456789012:certificate/1'"
)


OUT_OF_REACH = f"""{SOUND}
image: "ghcr.io/a/b:1"
network: {{nat: none, interface_endpoints: true}}
hatchet: {{{SELF_HOSTED}, image_registry: upstream}}
"""

WRONG_VALUES: dict[str, tuple[str, list[str]]] = {
    "nothing that is needed": (
        "region: us-east-1\n",
        ["name: is missing; must be a name", "workers: is missing; must be a mapping"],
    ),
    "no fleets": ("name: a\nworkers: {}\n", ["workers: is empty; must hold at least one"]),
    "null for a mapping": ("name: a\nworkers:\n", ["workers: got null; must be a mapping"]),
    "a list for a mapping": (
        f"{SOUND}network: [a]\n",
        ['network: got ["a"]; must be a mapping with keys such as cidr'],
    ),
    "an unknown key": (
        f"{SOUND}regoin: us-east-1\n",
        ["regoin: is no key that there is (did you mean region?); must"],
    ),
    "an unknown key far down": (
        "name: a\nworkers: {w: {role: leaf, timeouts: {experiment: {executoin: 1h}}}}\n",
        [
            "workers.w.timeouts.experiment.executoin: is no key that there is (did you mean execution?); must be"
        ],
    ),
    "an odd key": (
        f'{SOUND}"a b\\n": 1\n',
        ['"a b\\n": is no key that there is; must be one of name, region'],
    ),
    "an upper-case name": (
        f"{SOUND.replace('a', 'A', 1)}".replace("nAme", "name").replace(": a", ": A"),
        ['name: got "A"'],
    ),
    "a long name": (
        SOUND.replace(": a", ": " + "a" * 25),
        ['name: got "aaaaaaaaaaaaaaaaaaaaaaaaa"; must be a name of at'],
    ),
    "a name that is a number": (SOUND.replace(": a", ": 12"), ["name: got 12; must be a name"]),
    "a region that is none": (f"{SOUND}region: eu-west-9\n", ['region: got "eu-west-9"; must be a region']),
    "an account without quotes": (
        f"{SOUND}account_id: 012345678901\n",
        ["account_id: got 12345678901; must be 12 digits in"],
    ),
    "a boundary that is no policy": (
        f"{SOUND}permissions_boundary: arn:aws:iam::123456789012:role/bound\n",
        [
            'permissions_boundary: got "arn:aws:iam::123456789012:role/bound"; must be the ARN of an IAM policy'
        ],
    ),
    "a boundary of another account": (
        f"{SOUND}account_id: '123456789012'\npermissions_boundary: arn:aws:iam::210987654321:policy/bound\n",
        ["permissions_boundary: is of the account 210987654321; must be of account_id 123456789012"],
    ),
    "ARNs of another partition": (
        f"{SOUND}region: us-gov-west-1\npermissions_boundary: arn:aws:iam::aws:policy/a\n"
        "state: {backend: s3, bucket: abc, kms_key_id: 'arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/a'}\n"
        "hatchet: {token_secret_arn: 'arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a'}\n",
        [
            "permissions_boundary: is in aws; must be in aws-us-gov, as the environment's region us-gov-west-1 is",
            "hatchet.token_secret_arn: is in aws-cn; must be in aws-us-gov",
        ],
    ),
    "a budget in dollars in China": (
        f"{SOUND}region: cn-north-1\nobservability: {{monthly_budget_usd: 5, alarm_email: a@example.org}}\n",
        [
            "observability.monthly_budget_usd: is not kept in aws-cn, where the environment's region cn-north-1 is"
        ],
    ),
    "a tag that is a number": (
        f"{SOUND}tags: {{center: 4711}}\n",
        ["tags.center: got 4711; must be a tag's value"],
    ),
    "AWS's own tag": (f"{SOUND}tags: {{'aws:a': b}}\n", ['tags."aws:a": got "aws:a"; must be a tag\'s key']),
    "tags alike": (f"{SOUND}tags: {{Owner: a, owner: b}}\n", ["tags.owner: differs from Owner only in case"]),
    "a tag like ours": (
        f"{SOUND}tags: {{Project: a}}\n",
        ["tags.Project: differs from project only in case"],
    ),
    "a state bucket for local state": (
        f"{SOUND}state: {{bucket: abc}}\n",
        ["state.bucket: is for backend: s3 alone"],
    ),
    "S3 state without a bucket": (
        f"{SOUND}state: {{backend: s3}}\n",
        ["state.bucket: is missing; with backend: s3"],
    ),
    "host bits": (
        f"{SOUND}network: {{cidr: 10.0.0.1/16}}\n",
        ['network.cidr: got "10.0.0.1/16"; must be an IPv4 block'],
    ),
    "too small a network": (
        f"{SOUND}network: {{cidr: 10.0.0.0/24}}\n",
        ['network.cidr: got "10.0.0.0/24"; must be'],
    ),
    "a public network": (
        f"{SOUND}network: {{cidr: 8.8.0.0/16}}\n",
        ['network.cidr: got "8.8.0.0/16"; must be'],
    ),
    "seven zones": (
        f"{SOUND}network: {{az_count: 7}}\n",
        ["network.az_count: got 7; must be a whole number from 1 to 6"],
    ),
    "a zone and a half": (
        f"{SOUND}network: {{az_count: 1.5}}\n",
        ["network.az_count: got 1.5; must be a whole number"],
    ),
    "true zones": (
        f"{SOUND}network: {{az_count: true}}\n",
        ["network.az_count: got true; must be a whole number"],
    ),
    "a NAT that is none": (
        f"{SOUND}network: {{nat: no}}\n",
        ['network.nat: got "no"; must be none, instance, single or'],
    ),
    "an unknown endpoint": (
        f"{SOUND}network: {{interface_endpoints: [ecr]}}\n",
        ['network.interface_endpoints: got ["ecr"]; must be true, false or a list'],
    ),
    "a retention that CloudWatch has not": (
        f"{SOUND}network: {{flow_logs: {{retention_days: 31}}}}\n",
        ["network.flow_logs.retention_days: got 31; must be 1, 3, 5, 7"],
    ),
    "a NAT for somebody else's VPC": (
        f"{SOUND}network: {{nat: single, existing: {{vpc_id: vpc-12345678, private_subnet_ids: [subnet-12345678]}}}}\n",
        ["network.nat: does not go with existing, whose owner decides it; leave out nat or existing"],
    ),
    "a VPC without subnets": (
        f"{SOUND}network: {{existing: {{vpc_id: vpc-12345678}}}}\n",
        ["network.existing: has no subnets of the kind that worker_subnets names; must"],
    ),
    "no way to Hatchet Cloud": (
        f"{SOUND}network: {{nat: none}}\n",
        ["network.nat: got none, which leaves workers in"],
    ),
    "a bucket's bad name": (
        f"{SOUND}storage: {{bucket: My_Bucket}}\n",
        ['storage.bucket: got "My_Bucket"; must be'],
    ),
    "a bucket like an address": (
        f"{SOUND}storage: {{bucket: 10.0.0.1}}\n",
        ['storage.bucket: got "10.0.0.1"; must be'],
    ),
    "an unnamed existing bucket": (
        f"{SOUND}storage: {{existing: true}}\n",
        ["storage.bucket: is missing; with existing"],
    ),
    "a prefix with a slash": (
        f"{SOUND}storage: {{prefix: a/}}\n",
        ['storage.prefix: got "a/"; must be a prefix'],
    ),
    "a prefix that matches all": (
        f"{SOUND}storage: {{prefix: '*'}}\n",
        ['storage.prefix: got "*"; must be a prefix'],
    ),
    "archived once deleted": (
        f"{SOUND}storage: {{lifecycle: {{archive_after_days: 9, delete_after_days: 9}}}}\n",
        ["storage.lifecycle.archive_after_days: is not before delete_after_days; must be less"],
    ),
    "a token in the file": (
        f"{SOUND}hatchet: {{token: {TOKEN}}}\n",
        ["hatchet.token: is no key that there is"],
    ),
    "a token for its ARN": (
        f"{SOUND}hatchet: {{token_secret_arn: {TOKEN}}}\n",
        ["hatchet.token_secret_arn: got what looks like a secret's value (not shown); must be an ARN"],
    ),
    "self-hosting keys for the cloud": (
        f"{SOUND}hatchet: {{version: v0.104.7, broker: postgres}}\n",
        [
            "hatchet.broker: is for self-hosting alone; leave it out",
            "hatchet.version: is for self-hosting alone; leave it out",
        ],
    ),
    "self-hosting with a name and no certificate": (
        f"{SOUND}hatchet: {{mode: self_hosted, domain: hatchet.example.org}}\n",
        ["hatchet.certificate_arn: is missing; with domain it must be the domain's certificate"],
    ),
    "more engines than the database has connections for": (
        f"{SOUND}hatchet: {{mode: self_hosted, engine: {{count: 8}}, database: {{instance_class: db.t4g.micro}}}}\n",
        [
            "hatchet.database.instance_class: got db.t4g.micro, whose 80 connections are enough for 2 engines and APIs"
        ],
    ),
    "a token that ends between two set-ups": (
        f"{SOUND}hatchet: {{mode: self_hosted, token_days: 3}}\n",
        ["hatchet.token_days: got 3; must be a whole number from 4 to 3650"],
    ),
    "a zone for no name": (
        f"{SOUND}hatchet: {{mode: self_hosted, zone_id: Z0123456789ABC}}\n",
        ["hatchet.zone_id: is for the name in domain; leave it out or set domain"],
    ),
    "the latest Hatchet": (
        f"{SOUND}hatchet: {{{SELF_HOSTED}, version: latest}}\n",
        ['hatchet.version: got "latest"; must be a release'],
    ),
    "a broker that the engine has not": (
        f"{SOUND}hatchet: {{{SELF_HOSTED}, broker: elasticache}}\n",
        [
            'hatchet.broker: got "elasticache"; must be postgres, rabbitmq or amazon_mq (the engine has no broker on'
        ],
    ),
    "more of the Internet than one sees": (
        f"{SOUND}hatchet: {{{SELF_HOSTED}, allowed_cidrs: [0.0.0.0/1, 128.0.0.0/1]}}\n",
        ["hatchet.allowed_cidrs: got"],
    ),
    "who may come in where nobody can": (
        f"{SOUND}hatchet: {{mode: self_hosted, allowed_cidrs: [203.0.113.0/24]}}\n",
        ["hatchet.allowed_cidrs: is for the load balancer at domain; leave it out or set domain"],
    ),
    "a certificate and a zone": (
        f"{SOUND}hatchet: {{{SELF_HOSTED}, zone_id: Z0123456789ABC}}\n",
        ["hatchet.certificate_arn: does not go with zone_id"],
    ),
    "a certificate from elsewhere": (
        f"{SOUND}region: eu-west-1\nhatchet: {{{SELF_HOSTED}}}\n",
        ["hatchet.certificate_arn: is in us-east-1; must be in the environment's region eu-west-1"],
    ),
    "keys from elsewhere": (
        f"{SOUND}region: eu-west-1\nkms: {{logs: '{KEY}'}}\n"
        f"hatchet: {{token_secret_arn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:a', "
        f"token_secret_key_arn: '{KEY}'}}\n",
        [
            "kms.logs: is in us-east-1; must be in the environment's region eu-west-1",
            "hatchet.token_secret_key_arn: is in us-east-1; must be in the environment's region eu-west-1",
        ],
    ),
    "an alias of a key": (
        f"{SOUND}kms: {{bucket: 'arn:aws:kms:us-east-1:123456789012:alias/results'}}\n",
        [
            'kms.bucket: got "arn:aws:kms:us-east-1:123456789012:alias/results"; must be the ARN of a KMS key such as '
            "arn:aws:kms:<region>:<account>:key/... (not of an alias)"
        ],
    ),
    "a key of a token that is made": (
        f"{SOUND}hatchet: {{token_secret_key_arn: '{KEY}'}}\n",
        ["hatchet.token_secret_key_arn: is the key of the secret in token_secret_arn; leave it out or set"],
    ),
    "self-hosting in one zone": (
        f"{SOUND}network: {{az_count: 1}}\nhatchet: {{{SELF_HOSTED}}}\n",
        ["network.az_count: got 1; self-hosted Hatchet must have at least 2"],
    ),
    "self-hosting without endpoints": (
        f"{SOUND}network: {{nat: none}}\nhatchet: {{{SELF_HOSTED}}}\n",
        [
            "network.interface_endpoints: lacks ecr.api, ecr.dkr, ecs, logs, monitoring, secretsmanager, which tasks"
        ],
    ),
    "self-hosting without a way to forward ports": (
        f"{SOUND}network: {{nat: none, interface_endpoints: [ecr.api, ecr.dkr, ecs, logs, monitoring, secretsmanager]}}\n"
        "hatchet: {mode: self_hosted}\n",
        ["network.interface_endpoints: lacks ssmmessages, which tasks"],
    ),
    "self-hosting in too small a VPC": (
        f"{SOUND}network: {{cidr: 10.0.0.0/22}}\nhatchet: {{{SELF_HOSTED}}}\n",
        ["network.cidr: got 10.0.0.0/22, whose public subnets are too small"],
    ),
    "images out of reach": (
        OUT_OF_REACH,
        [
            "image: is out of reach of private subnets",
            "hatchet.image_registry: got upstream, which private subnets",
        ],
    ),
    "RabbitMQ's size for another broker": (
        f"{SOUND}hatchet: {{{SELF_HOSTED}, rabbitmq: {{cpu: 1}}}}\n",
        ["hatchet.rabbitmq: does not go with broker: postgres; leave it out"],
    ),
    "both brokers": (
        f"{SOUND}hatchet: {{{SELF_HOSTED}, broker: amazon_mq, amazon_mq: {{}}, rabbitmq: {{cpu: 1}}}}\n",
        ["hatchet.rabbitmq: does not go with broker: amazon_mq; leave it out"],
    ),
    "an instance of EC2 for Amazon MQ": (
        f"{SOUND}hatchet: {{{SELF_HOSTED}, broker: amazon_mq, amazon_mq: {{instance_type: m7g.large}}}}\n",
        ['hatchet.amazon_mq.instance_type: got "m7g.large"; must be a type of Amazon MQ'],
    ),
    "storage that cannot grow": (
        f"{SOUND}hatchet: {{{SELF_HOSTED}, database: {{storage_gb: 100, max_storage_gb: 105}}}}\n",
        ["hatchet.database.max_storage_gb: is not at least 10 % more than storage_gb; must be"],
    ),
    "a mailbox that is none": (
        f"{SOUND}observability: {{alarm_email: ops}}\n",
        ['observability.alarm_email: got "ops"'],
    ),
}
