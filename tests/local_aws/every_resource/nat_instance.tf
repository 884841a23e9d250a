resource "aws_security_group" "nat" {
  name        = "every-nat"
  description = "NAT instance"
  vpc_id      = aws_vpc.this.id
}

resource "aws_network_interface" "nat" {
  subnet_id         = aws_subnet.public[local.first].id
  security_groups   = [aws_security_group.nat.id]
  source_dest_check = false
  description       = "NAT instance"
}

resource "aws_eip" "nat" {
  domain     = "vpc"
  depends_on = [aws_internet_gateway.this]
}

resource "aws_eip_association" "nat" {
  allocation_id        = aws_eip.nat.id
  network_interface_id = aws_network_interface.nat.id
}

resource "aws_route" "nat" {
  for_each               = { for az in local.azs : az => az if az != local.first }
  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  network_interface_id   = aws_network_interface.nat.id
}

resource "aws_iam_role" "nat" {
  name               = "every-nat"
  assume_role_policy = local.trust["ec2"]
}

resource "aws_iam_role_policy_attachment" "nat" {
  role       = aws_iam_role.nat.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "nat" {
  name = "every-nat"
  role = aws_iam_role.nat.name
}

resource "aws_launch_template" "nat" {
  name                   = "every-nat"
  image_id               = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
  instance_type          = "t4g.nano"
  update_default_version = true
  user_data              = base64encode("#!/bin/bash\nsysctl -w net.ipv4.ip_forward=1\n# ${var.boot}\n")
  iam_instance_profile {
    arn = aws_iam_instance_profile.nat.arn
  }
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  monitoring {
    enabled = false
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      encrypted             = true
      volume_type           = "gp3"
      volume_size           = 8
      delete_on_termination = true
    }
  }
  network_interfaces {
    device_index         = 0
    network_interface_id = aws_network_interface.nat.id
  }
  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "every-nat" }
  }
}

resource "aws_autoscaling_group" "nat" {
  name                      = "every-nat"
  availability_zones        = [local.first]
  min_size                  = 1
  max_size                  = 1
  desired_capacity          = 1
  health_check_type         = "EC2"
  health_check_grace_period = 60
  launch_template {
    id      = aws_launch_template.nat.id
    version = aws_launch_template.nat.latest_version
  }
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 0
    }
  }
  tag {
    key                 = "Name"
    value               = "every-nat"
    propagate_at_launch = true
  }
}
