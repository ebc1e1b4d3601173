resource "digitalocean_vpc" "telemetry" {
  name        = "telemetry-${var.region}"
  region      = var.region
  ip_range    = var.vpc_cidr
  description = "The telemetry stores of ${var.region}; clusters are peered with it, never in it"

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  # The collectors, and who reads.
  clients = concat([digitalocean_vpc.telemetry.ip_range], local.client_ranges)

  anywhere = ["0.0.0.0/0", "::/0"]

  # What every droplet may reach: packages (Ubuntu's mirrors are plain HTTP, their lists are signed), the API, names, time.
  outbound = [
    { protocol = "tcp", port_range = "80", addresses = local.anywhere },
    { protocol = "tcp", port_range = "443", addresses = local.anywhere },
    { protocol = "tcp", port_range = "53", addresses = local.anywhere },
    { protocol = "udp", port_range = "53", addresses = local.anywhere },
    { protocol = "udp", port_range = "123", addresses = local.anywhere },
    # Jobs report to vmauth.
    { protocol = "tcp", port_range = "8427", addresses = [digitalocean_vpc.telemetry.ip_range] },
  ]
}

resource "digitalocean_firewall" "clickhouse" {
  name        = "telemetry-clickhouse-${var.region}"
  droplet_ids = [digitalocean_droplet.clickhouse.id]

  # HTTPS: the aggregator writes, people read.
  inbound_rule {
    protocol           = "tcp"
    port_range         = "8443"
    source_droplet_ids = [digitalocean_droplet.vector_agg.id]
    source_addresses   = local.clients
  }

  # Metrics, for the region's own scrape alone.
  inbound_rule {
    protocol           = "tcp"
    port_range         = "9363"
    source_droplet_ids = [digitalocean_droplet.victoriametrics.id]
  }

  dynamic "inbound_rule" {
    for_each = length(local.admin_ranges) > 0 ? [local.admin_ranges] : []
    content {
      protocol         = "tcp"
      port_range       = "22"
      source_addresses = inbound_rule.value
    }
  }

  dynamic "outbound_rule" {
    for_each = local.outbound
    content {
      protocol              = outbound_rule.value.protocol
      port_range            = outbound_rule.value.port_range
      destination_addresses = outbound_rule.value.addresses
    }
  }
}

resource "digitalocean_firewall" "victoriametrics" {
  name        = "telemetry-victoriametrics-${var.region}"
  droplet_ids = [digitalocean_droplet.victoriametrics.id]

  # vmauth, the only door to VictoriaMetrics: collectors write, people read, jobs report.
  inbound_rule {
    protocol         = "tcp"
    port_range       = "8427"
    source_addresses = local.clients
  }

  dynamic "inbound_rule" {
    for_each = length(local.admin_ranges) > 0 ? [local.admin_ranges] : []
    content {
      protocol         = "tcp"
      port_range       = "22"
      source_addresses = inbound_rule.value
    }
  }

  dynamic "outbound_rule" {
    for_each = concat(local.outbound, [
      # It scrapes the other two.
      { protocol = "tcp", port_range = "9363", addresses = [digitalocean_vpc.telemetry.ip_range] },
      { protocol = "tcp", port_range = "9598", addresses = [digitalocean_vpc.telemetry.ip_range] },
    ])
    content {
      protocol              = outbound_rule.value.protocol
      port_range            = outbound_rule.value.port_range
      destination_addresses = outbound_rule.value.addresses
    }
  }
}

resource "digitalocean_firewall" "vector_agg" {
  name        = "telemetry-vector-agg-${var.region}"
  droplet_ids = [digitalocean_droplet.vector_agg.id]

  # Fluent Bit of every cluster.
  inbound_rule {
    protocol         = "tcp"
    port_range       = "8080"
    source_addresses = local.clients
  }

  # Metrics, for the region's own scrape alone.
  inbound_rule {
    protocol           = "tcp"
    port_range         = "9598"
    source_droplet_ids = [digitalocean_droplet.victoriametrics.id]
  }

  dynamic "inbound_rule" {
    for_each = length(local.admin_ranges) > 0 ? [local.admin_ranges] : []
    content {
      protocol         = "tcp"
      port_range       = "22"
      source_addresses = inbound_rule.value
    }
  }

  dynamic "outbound_rule" {
    for_each = concat(local.outbound, [
      { protocol = "tcp", port_range = "8443", addresses = [digitalocean_vpc.telemetry.ip_range] },
    ])
    content {
      protocol              = outbound_rule.value.protocol
      port_range            = outbound_rule.value.port_range
      destination_addresses = outbound_rule.value.addresses
    }
  }
}

# Names, so that a droplet that is replaced keeps its endpoint and its certificate: its address changes, and a minute later
# the name's. The addresses are private; that the zone is public tells no more than a network's layout.
resource "digitalocean_record" "clickhouse" {
  domain = var.domain
  type   = "A"
  name   = "clickhouse.${var.region}"
  value  = digitalocean_droplet.clickhouse.ipv4_address_private
  ttl    = 60
}

resource "digitalocean_record" "victoriametrics" {
  domain = var.domain
  type   = "A"
  name   = "victoriametrics.${var.region}"
  value  = digitalocean_droplet.victoriametrics.ipv4_address_private
  ttl    = 60
}

resource "digitalocean_record" "vector_agg" {
  domain = var.domain
  type   = "A"
  name   = "vector.${var.region}"
  value  = digitalocean_droplet.vector_agg.ipv4_address_private
  ttl    = 60
}
