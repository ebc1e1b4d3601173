# Tags of the region's own, so that two regions, with a state each, never claim the same one.
resource "digitalocean_tag" "telemetry" {
  name = "telemetry-${var.region}"
}

resource "digitalocean_project" "telemetry" {
  name        = "telemetry-${var.region}"
  description = "Stores of logs and metrics of ${var.region}; independent of every cluster"
  purpose     = "Operational / Developer tooling"
  environment = "Production"

  resources = [
    digitalocean_droplet.clickhouse.urn,
    digitalocean_droplet.victoriametrics.urn,
    digitalocean_droplet.vector_agg.urn,
    digitalocean_volume.clickhouse.urn,
    digitalocean_volume.victoriametrics.urn,
    digitalocean_volume.vector_agg.urn,
  ]
}

# Not every size is on offer in every region; better known before the first resource than at the third.
data "digitalocean_sizes" "contract" {
  filter {
    key    = "slug"
    values = ["so-4vcpu-32gb", "c-4", "c-2"]
  }

  filter {
    key    = "regions"
    values = [var.region]
  }

  lifecycle {
    postcondition {
      condition     = length(self.sizes) == 3
      error_message = "Not all of so-4vcpu-32gb, c-4 and c-2 are on offer in ${var.region}: `doctl compute size list` shows where they are."
    }
  }
}
