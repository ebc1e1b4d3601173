# Metrics, the rules over them, and the door to both.

resource "digitalocean_volume" "victoriametrics" {
  region      = var.region
  name        = "victoriametrics-${var.region}${local.restored.victoriametrics}"
  size        = var.victoriametrics_volume_gib
  description = "Metrics of ${var.region}"
  tags        = [digitalocean_tag.telemetry.name]
  snapshot_id = lookup(var.restored_from, "victoriametrics", null)

  # No initial filesystem: DigitalOcean would mount it by itself, elsewhere. mount-volume formats what is empty.

  lifecycle {
    prevent_destroy = true
  }
}

resource "digitalocean_droplet" "victoriametrics" {
  name              = "victoriametrics-${var.region}"
  region            = var.region
  size              = "c-4"
  image             = var.image
  vpc_uuid          = digitalocean_vpc.telemetry.id
  ssh_keys          = var.ssh_key_fingerprints
  monitoring        = true
  graceful_shutdown = true
  tags              = [digitalocean_tag.telemetry.name]

  # A change replaces the droplet and nothing else: the volume is attached to its successor. No secret is in it.
  user_data = local.user_data.victoriametrics

  depends_on = [data.digitalocean_sizes.contract]
}

resource "digitalocean_volume_attachment" "victoriametrics" {
  droplet_id = digitalocean_droplet.victoriametrics.id
  volume_id  = digitalocean_volume.victoriametrics.id
}
