# Which addresses are private, by network and prefix; variables.tf judges by it. What it judged is what the firewalls get.

locals {
  rfc_1918 = { "10.0.0.0" = 8, "172.16.0.0" = 12, "192.168.0.0" = 16 }

  # And RFC 6598, shared address space, and RFC 4193, unique local addresses. No route of the internet leads to any of them.
  private_networks = merge(local.rfc_1918, { "100.64.0.0" = 10, "fc00::" = 7 })

  # An address without a prefix is a range of one.
  client_ranges = [for range in var.client_ranges : strcontains(range, "/") ? range : "${range}/${strcontains(range, ":") ? 128 : 32}"]
  admin_ranges  = [for range in var.admin_ranges : strcontains(range, "/") ? range : "${range}/${strcontains(range, ":") ? 128 : 32}"]
}
