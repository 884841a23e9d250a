resource "aws_ecs_cluster" "this" {
  name = "every-workers"
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
  default_capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = 1
    base              = 0
  }
}

resource "aws_cloudwatch_log_group" "fleet" {
  name              = "/scythe/every/simulations"
  retention_in_days = 14
}

resource "aws_iam_role" "execution" {
  name               = "every-simulations-execution"
  assume_role_policy = local.trust["ecs-tasks"]
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.token.arn },
      { Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.fleet.arn}:*" },
    ]
  })
}

resource "aws_iam_role" "task" {
  name               = "every-simulations-task"
  assume_role_policy = local.trust["ecs-tasks"]
}

resource "aws_iam_policy" "researcher" {
  name   = "every-researcher"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.this.arn}/*" }] })
}

resource "aws_ecs_task_definition" "this" {
  family                   = "every-simulations"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "2048"
  memory                   = "8192"
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  track_latest             = false
  runtime_platform {
    cpu_architecture        = "ARM64"
    operating_system_family = "LINUX"
  }
  ephemeral_storage {
    size_in_gib = 40
  }
  volume {
    name = "tmp"
  }
  container_definitions = jsonencode([{
    name                   = "worker"
    image                  = "${aws_ecr_repository.this.repository_url}:none-pushed-yet"
    essential              = true
    user                   = "1000"
    stopTimeout            = 120
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    environment            = [{ name = "SCYTHE_STORAGE_BUCKET", value = aws_s3_bucket.this.bucket }]
    secrets                = [{ name = "HATCHET_CLIENT_TOKEN", valueFrom = aws_secretsmanager_secret.token.arn }]
    healthCheck            = { command = ["CMD-SHELL", "true"], interval = 30, timeout = 5, retries = 3, startPeriod = 60 }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.fleet.name
        "awslogs-region"        = data.aws_region.this.name
        "awslogs-stream-prefix" = "worker"
        "mode"                  = "non-blocking"
        "max-buffer-size"       = "25m"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name                               = "simulations"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = 0
  platform_version                   = "LATEST"
  propagate_tags                     = "SERVICE"
  enable_ecs_managed_tags            = true
  enable_execute_command             = false
  deployment_maximum_percent         = 100
  deployment_minimum_healthy_percent = 0
  availability_zone_rebalancing      = "DISABLED"
  force_delete                       = true
  wait_for_steady_state              = false
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = 4
  }
  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
    base              = 1
  }
  network_configuration {
    subnets          = [for subnet in aws_subnet.private : subnet.id]
    security_groups  = [aws_security_group.workers.id]
    assign_public_ip = false
  }
  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.execution]
  lifecycle {
    ignore_changes = [desired_count]
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  min_capacity       = 0
  max_capacity       = var.max
  lifecycle {
    ignore_changes = [min_capacity]
  }
}

resource "aws_appautoscaling_scheduled_action" "night" {
  name               = "night"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id
  schedule           = "cron(0 20 * * ? *)"
  timezone           = "Europe/Zurich"
  scalable_target_action {
    min_capacity = 2
    max_capacity = 50
  }
  # Application Auto Scaling refuses a change of a target while another is pending.
  depends_on = [aws_appautoscaling_policy.this]
}

resource "aws_appautoscaling_policy" "this" {
  name               = "backlog"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id
  step_scaling_policy_configuration {
    adjustment_type         = "ExactCapacity"
    cooldown                = 60
    metric_aggregation_type = "Maximum"
    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 5
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  alarm_name          = "every-backlog"
  namespace           = "Scythe"
  metric_name         = "Backlog"
  dimensions          = { Fleet = "simulations" }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.this.arn]
}

resource "aws_budgets_budget" "this" {
  name         = "every"
  budget_type  = "COST"
  limit_amount = "100"
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
}
