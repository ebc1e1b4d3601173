variable "region" {
  description = "DigitalOcean's region, for example fra1. Nothing of one region is shared with another."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{3}[0-9]$", var.region))
    error_message = "A region is three letters and a digit, for example fra1."
  }
}

variable "domain" {
  description = "A domain whose zone DigitalOcean serves. Endpoints are names in it, so that they outlive the droplets' addresses."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "The domain must be a name in lower case without a dot at its end, for example telemetry.example.com."
  }
}

# A range is judged as the set of its addresses: it lies within a network when it fixes at least as many leading bits, and those
# are the network's. Its spelling must be the one that Terraform writes, in capitals or not: other programs read 010.0.0.0 as
# 8.0.0.0, ::ffff:0:0/96 is all of IPv4, and with 10.1.2.3/8 somebody meant something else. A validation may not go by way of
# a local that reads its own variable, hence the repetition.

variable "vpc_cidr" {
  description = "Addresses of the VPC: RFC 1918, /16 to /24, used by no other VPC of the account, and by no cluster that is peered."
  type        = string

  validation {
    condition = try(
      cidrsubnet(var.vpc_cidr, 0, 0) == var.vpc_cidr
      && tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 24
      && anytrue([for network, prefix in local.rfc_1918 : cidrhost("${split("/", var.vpc_cidr)[0]}/${prefix}", 0) == network]),
    false)
    error_message = "vpc_cidr must be a network of RFC 1918 between /16 and /24, by its first address, for example 10.40.0.0/20."
  }
}

variable "client_ranges" {
  description = <<-EOT
    Private addresses from which collectors send and people read, beside the VPC itself: the VPCs and pod networks that are
    peered with it. Ranges, never clusters: a cluster comes and goes without a change here. Each lies wholly in RFC 1918,
    100.64.0.0/10 or fc00::/7.
  EOT
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for range in [for range in var.client_ranges : strcontains(range, "/") ? range : "${range}/${strcontains(range, ":") ? 128 : 32}"] :
      try(cidrsubnet(range, 0, 0) == lower(range), false)
    ])
    error_message = "client_ranges must be networks in CIDR notation, each by its first address and in its shortest spelling, or single addresses."
  }

  validation {
    condition = alltrue([
      for range in [for range in var.client_ranges : strcontains(range, "/") ? range : "${range}/${strcontains(range, ":") ? 128 : 32}"] :
      anytrue([
        for network, prefix in local.private_networks :
        try(tonumber(split("/", range)[1]) >= prefix && cidrhost("${split("/", range)[0]}/${prefix}", 0) == network, false)
      ])
    ])
    error_message = "client_ranges must lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 or fc00::/7, every address of them: the stores are never reachable from the internet."
  }
}

variable "admin_ranges" {
  description = "Addresses from which SSH is let in, for example a bastion's: single ones, or networks of at most a /24 (IPv6: a /64). Empty: nobody."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for range in [for range in var.admin_ranges : strcontains(range, "/") ? range : "${range}/${strcontains(range, ":") ? 128 : 32}"] :
      try(cidrsubnet(range, 0, 0) == lower(range) && tonumber(split("/", range)[1]) >= (strcontains(range, ":") ? 64 : 24), false)
    ])
    error_message = "admin_ranges must be single addresses, or networks of at most a /24 (IPv6: a /64) in CIDR notation, each by its first address and in its shortest spelling."
  }
}

variable "ssh_key_fingerprints" {
  description = "Fingerprints of SSH keys that the account knows. A change replaces the droplets."
  type        = list(string)

  validation {
    condition     = length(var.ssh_key_fingerprints) > 0 && alltrue([for key in var.ssh_key_fingerprints : can(regex("^([0-9a-f]{2}:){15}[0-9a-f]{2}$", key))])
    error_message = "At least one fingerprint is needed (MD5, as `doctl compute ssh-key list` prints it); without a key DigitalOcean mails a root password."
  }
}

variable "image" {
  description = "The droplets' image. A change replaces them."
  type        = string
  default     = "ubuntu-24-04-x64"

  validation {
    condition     = can(regex("^ubuntu-24-04-x64$|^[0-9]+$", var.image))
    error_message = "The installation is made for Ubuntu 24.04: give its slug, or the number of an image made from it."
  }
}

# === What is kept, and for how long ===

variable "clickhouse_volume_gib" {
  description = "Size of the volume for logs. It can grow, never shrink."
  type        = number
  default     = 500

  validation {
    condition     = var.clickhouse_volume_gib >= 100 && var.clickhouse_volume_gib <= 16384 && floor(var.clickhouse_volume_gib) == var.clickhouse_volume_gib
    error_message = "A volume for logs has between 100 and 16384 GiB."
  }
}

variable "victoriametrics_volume_gib" {
  description = "Size of the volume for metrics. It can grow, never shrink."
  type        = number
  default     = 200

  validation {
    condition     = var.victoriametrics_volume_gib >= 50 && var.victoriametrics_volume_gib <= 16384 && floor(var.victoriametrics_volume_gib) == var.victoriametrics_volume_gib
    error_message = "A volume for metrics has between 50 and 16384 GiB."
  }
}

variable "vector_volume_gib" {
  description = "Size of the volume for log records on their way. Four fifths of it are the buffer: what ClickHouse may be away for."
  type        = number
  default     = 100

  validation {
    condition     = var.vector_volume_gib >= 20 && var.vector_volume_gib <= 16384 && floor(var.vector_volume_gib) == var.vector_volume_gib
    error_message = "A volume for the buffer has between 20 and 16384 GiB."
  }
}

variable "metrics_retention" {
  description = "How long metrics are kept. Logs are kept for as long as clickhouse/schema.sql says: 30 days."
  type        = string
  default     = "90d"

  validation {
    condition     = can(regex("^[1-9][0-9]*[dwy]$", var.metrics_retention))
    error_message = "metrics_retention is a number of days, weeks or years: 90d, 26w, 1y."
  }
}

variable "snapshots_kept" {
  description = "How many nightly snapshots of each volume are kept."
  type        = number
  default     = 14

  validation {
    condition     = var.snapshots_kept >= 2 && var.snapshots_kept <= 100 && floor(var.snapshots_kept) == var.snapshots_kept
    error_message = "Between 2 and 100 snapshots are kept."
  }
}

variable "restored_from" {
  description = "Snapshots from which the volumes `clickhouse` and `victoriametrics` are made anew: see the README, restore."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for volume, snapshot in var.restored_from :
      contains(["clickhouse", "victoriametrics"], volume) && can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", snapshot))
    ])
    error_message = "restored_from maps clickhouse or victoriametrics to the ID of a snapshot, a UUID."
  }
}

variable "alertmanager_url" {
  description = "Where vmalert sends alerts. Empty: nowhere; they are then only the series ALERTS of the store."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^https://[A-Za-z0-9.-]+(:443)?(/[A-Za-z0-9._/-]*)?$", var.alertmanager_url))
    error_message = "alertmanager_url must be an https URL on port 443, without credentials; the firewall lets nothing else out."
  }
}

# === What is installed: a change of any of these replaces the droplet ===

variable "clickhouse_version" {
  description = "Version of the packages clickhouse-server, -client and -common-static; take the newest patch of a long-term release."
  type        = string
  default     = "26.3.1.896"

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$", var.clickhouse_version))
    error_message = "A version of ClickHouse has four numbers, for example 26.3.1.896."
  }
}

variable "clickhouse_key_fingerprints" {
  description = "The keys that may sign ClickHouse's repository."
  type        = list(string)
  default     = ["3A9EA1193A97B548BE1457D48919F6BD2B48D754"]

  validation {
    condition     = length(var.clickhouse_key_fingerprints) > 0 && alltrue([for key in var.clickhouse_key_fingerprints : can(regex("^[0-9A-F]{40}$", key))])
    error_message = "A fingerprint is 40 digits, A to F in capitals."
  }
}

variable "vector_version" {
  description = "Version of the package vector. Before 0.57 its configuration would be read differently."
  type        = string
  default     = "0.57.0-1"

  validation {
    condition     = can(regex("^0\\.(5[7-9]|[6-9][0-9])\\.[0-9]+-[0-9]+$", var.vector_version))
    error_message = "A version of the package vector, 0.57 or later, for example 0.57.0-1."
  }
}

variable "vector_key_fingerprints" {
  description = "The keys that may sign Vector's repository: Datadog's, the current one and its successor."
  type        = list(string)
  default     = ["5F1E256061D813B125E156E8E6266D4AC0962C7D", "D18886567EABAD8B2D2526900D826EB906462314"]

  validation {
    condition     = length(var.vector_key_fingerprints) > 0 && alltrue([for key in var.vector_key_fingerprints : can(regex("^[0-9A-F]{40}$", key))])
    error_message = "A fingerprint is 40 digits, A to F in capitals."
  }
}

variable "victoriametrics_version" {
  description = "Version of VictoriaMetrics, vmauth and vmalert."
  type        = string
  default     = "v1.150.0"

  validation {
    condition     = can(regex("^v1\\.[0-9]+\\.[0-9]+$", var.victoriametrics_version))
    error_message = "A version of VictoriaMetrics, for example v1.150.0."
  }
}

variable "victoriametrics_sha256" {
  description = "SHA-256 sum of victoria-metrics-linux-amd64-VERSION.tar.gz. The release is not a signed repository: see the README."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.victoriametrics_sha256))
    error_message = "A SHA-256 sum is 64 digits in lower case."
  }
}

variable "vmutils_sha256" {
  description = "SHA-256 sum of vmutils-linux-amd64-VERSION.tar.gz, of the same release."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.vmutils_sha256))
    error_message = "A SHA-256 sum is 64 digits in lower case."
  }
}
