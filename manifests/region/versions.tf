terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = "2.99.1"
    }
  }
}

# The token is read from DIGITALOCEAN_TOKEN; it stands in no file and in no state.
provider "digitalocean" {}
