# The aggregator of logs. What it has acknowledged and not yet delivered is on the volume. It is no store: no snapshots, since
# an old buffer put back would deliver the past a second time.

resource "digitalocean_volume" "vector_agg" {
  region      = var.region
  name        = "vector-agg-${var.region}"
  size        = var.vector_volume_gib
  description = "Log records on their way in ${var.region}"
  tags        = [digitalocean_tag.telemetry.name]

  # No initial filesystem: DigitalOcean would mount it by itself, elsewhere. mount-volume formats what is empty.

  lifecycle {
    prevent_destroy = true
  }
}

resource "digitalocean_droplet" "vector_agg" {
  name              = "vector-agg-${var.region}"
  region            = var.region
  size              = "c-2"
  image             = var.image
  vpc_uuid          = digitalocean_vpc.telemetry.id
  ssh_keys          = var.ssh_key_fingerprints
  monitoring        = true
  graceful_shutdown = true
  tags              = [digitalocean_tag.telemetry.name]

  # A change replaces the droplet and nothing else: the volume is attached to its successor. No secret is in it.
  user_data = local.user_data.vector_agg

  depends_on = [data.digitalocean_sizes.contract]
}

resource "digitalocean_volume_attachment" "vector_agg" {
  droplet_id = digitalocean_droplet.vector_agg.id
  volume_id  = digitalocean_volume.vector_agg.id
}
