output "endpoints" {
  description = "What clusters and auditors connect to: names that outlive the droplets."
  value       = local.endpoints
}

output "region_values" {
  description = "manifests/helm/regions/REGION.yaml: `terraform output -raw region_values > ../helm/regions/fra1.yaml`. No secret is in it."
  value       = yamlencode({ region = var.region, stores = local.endpoints })
}

output "droplets" {
  description = "Private addresses of the droplets, for `credentials deliver` from within the VPC, and public ones for SSH from admin_ranges."
  value = {
    clickhouse      = { private = digitalocean_droplet.clickhouse.ipv4_address_private, public = digitalocean_droplet.clickhouse.ipv4_address }
    victoriametrics = { private = digitalocean_droplet.victoriametrics.ipv4_address_private, public = digitalocean_droplet.victoriametrics.ipv4_address }
    vector_agg      = { private = digitalocean_droplet.vector_agg.ipv4_address_private, public = digitalocean_droplet.vector_agg.ipv4_address }
  }
}

output "vpc" {
  description = "The VPC that clusters' VPCs are peered with."
  value       = { id = digitalocean_vpc.telemetry.id, ip_range = digitalocean_vpc.telemetry.ip_range }
}

locals {
  endpoints = {
    metrics = {
      # vmagent: basic authentication as `vmagent`, the region's CA.
      write_url = "https://${local.hosts.victoriametrics}:8427/api/v1/write"
      # Dashboards and `--stores`: as `reader`.
      query_url = "https://${local.hosts.victoriametrics}:8427"
    }
    logs = {
      # Fluent Bit's output `http`: as `fluent-bit`, the region's CA.
      host = local.hosts.vector_agg
      port = 8080
      path = "/logs"
      # As `reader`.
      query_url = "https://${local.hosts.clickhouse}:8443"
    }
  }
}
