# Logs. What must outlive the droplet is on the volume; the droplet's own NVMe disk takes queries' scratch files and the
# backups of closed days.

resource "digitalocean_volume" "clickhouse" {
  region      = var.region
  name        = "clickhouse-${var.region}${local.restored.clickhouse}"
  size        = var.clickhouse_volume_gib
  description = "Logs of ${var.region}"
  tags        = [digitalocean_tag.telemetry.name]
  snapshot_id = lookup(var.restored_from, "clickhouse", null)

  # No initial filesystem: DigitalOcean would mount it by itself, elsewhere. mount-volume formats what is empty.

  lifecycle {
    prevent_destroy = true
  }
}

resource "digitalocean_droplet" "clickhouse" {
  name              = "clickhouse-${var.region}"
  region            = var.region
  size              = "so-4vcpu-32gb"
  image             = var.image
  vpc_uuid          = digitalocean_vpc.telemetry.id
  ssh_keys          = var.ssh_key_fingerprints
  monitoring        = true
  graceful_shutdown = true
  tags              = [digitalocean_tag.telemetry.name]

  # A change replaces the droplet and nothing else: the volume is attached to its successor. No secret is in it.
  user_data = local.user_data.clickhouse

  depends_on = [data.digitalocean_sizes.contract]
}

resource "digitalocean_volume_attachment" "clickhouse" {
  droplet_id = digitalocean_droplet.clickhouse.id
  volume_id  = digitalocean_volume.clickhouse.id
}
