terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "az_count" {
  type    = number
  default = 2
}

variable "max" {
  type    = number
  default = 10
}

variable "boot" {
  type        = string
  default     = "1"
  description = "Changes the NAT instance's user data."
}

provider "aws" {
  region              = var.region
  allowed_account_ids = ["123456789012"]
  default_tags {
    tags = { project = "every", environment = "test" }
  }
}

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

data "aws_availability_zones" "this" {
  state            = "available"
  exclude_zone_ids = ["use1-az3"]
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
  filter {
    name   = "zone-type"
    values = ["availability-zone"]
  }
}

locals {
  account = data.aws_caller_identity.this.account_id
  azs     = slice(data.aws_availability_zones.this.names, 0, var.az_count)
  first   = local.azs[0]
  trust = {
    for service in ["ecs-tasks", "ec2", "vpc-flow-logs", "scheduler"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "${service}.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      }]
    })
  }
}

output "azs" {
  value = data.aws_availability_zones.this.names
}
