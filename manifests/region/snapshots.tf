# The newest snapshot of each store's volume, as DigitalOcean's API lists it: read with every plan, so that plan and state say
# how old it is. Timers on the droplets make them, not Terraform. In checks, which warn and stop nothing: a region that is yet to
# be made has none.

check "clickhouse_snapshot" {
  data "digitalocean_volume_snapshot" "clickhouse" {
    name_regex  = "^clickhouse-${var.region}-[0-9]{8}t[0-9]{6}z$"
    region      = var.region
    most_recent = true
  }

  assert {
    condition     = timecmp(timeadd(data.digitalocean_volume_snapshot.clickhouse.created_at, "30h"), plantimestamp()) > 0
    error_message = "The newest snapshot of the logs is older than a night: see the alert RegionJobFailed, and the README, backups."
  }
}

check "victoriametrics_snapshot" {
  data "digitalocean_volume_snapshot" "victoriametrics" {
    name_regex  = "^victoriametrics-${var.region}-[0-9]{8}t[0-9]{6}z$"
    region      = var.region
    most_recent = true
  }

  assert {
    condition     = timecmp(timeadd(data.digitalocean_volume_snapshot.victoriametrics.created_at, "30h"), plantimestamp()) > 0
    error_message = "The newest snapshot of the metrics is older than a night: see the alert RegionJobFailed, and the README, backups."
  }
}
