# What each droplet is made of. Nothing in it is secret, for any process on a droplet can read its user data: passwords and
# keys are delivered to the volume (see the README, `credentials`).

locals {
  hosts = {
    clickhouse      = "clickhouse.${var.region}.${var.domain}"
    victoriametrics = "victoriametrics.${var.region}.${var.domain}"
    vector_agg      = "vector.${var.region}.${var.domain}"
  }

  # A volume cannot be renamed, and its device is found by its name: one made from a snapshot is told by a suffix.
  restored = {
    for volume in ["clickhouse", "victoriametrics"] :
    volume => contains(keys(var.restored_from), volume) ? "-${substr(var.restored_from[volume], 0, 8)}" : ""
  }

  directories = {
    clickhouse      = "/srv/clickhouse"
    victoriametrics = "/srv/victoriametrics"
    vector_agg      = "/srv/vector"
  }

  # Started once the volume is mounted and carries credentials.
  services = {
    clickhouse      = "clickhouse-server.service clickhouse-schema.service"
    victoriametrics = "victoriametrics.service vmauth.service vmalert.service"
    vector_agg      = "vector.service"
  }

  # Its nightly jobs.
  timers = {
    clickhouse      = "volume-snapshot.timer backup-closed-days.timer"
    victoriametrics = "volume-snapshot.timer"
    vector_agg      = "prune-snapshots.timer"
  }

  # /etc/starform/region.env, read by the jobs' units and the installation.
  environments = {
    clickhouse = {
      VOLUME_ID               = digitalocean_volume.clickhouse.id
      VOLUME_NAME             = digitalocean_volume.clickhouse.name
      SNAPSHOT_NAME           = "clickhouse-${var.region}"
      CLICKHOUSE_VERSION      = var.clickhouse_version
      CLICKHOUSE_FINGERPRINTS = join(",", var.clickhouse_key_fingerprints)
    }
    victoriametrics = {
      VOLUME_ID               = digitalocean_volume.victoriametrics.id
      VOLUME_NAME             = digitalocean_volume.victoriametrics.name
      SNAPSHOT_NAME           = "victoriametrics-${var.region}"
      VICTORIAMETRICS_VERSION = var.victoriametrics_version
      VICTORIAMETRICS_SHA256  = var.victoriametrics_sha256
      VMUTILS_SHA256          = var.vmutils_sha256
      METRICS_RETENTION       = var.metrics_retention
      NOTIFIER                = var.alertmanager_url == "" ? "-notifier.blackhole" : "-notifier.url=${var.alertmanager_url}"
    }
    vector_agg = {
      VOLUME_ID           = digitalocean_volume.vector_agg.id
      VOLUME_NAME         = digitalocean_volume.vector_agg.name
      VECTOR_VERSION      = var.vector_version
      VECTOR_FINGERPRINTS = join(",", var.vector_key_fingerprints)
      SNAPSHOT_VOLUMES    = "clickhouse-${var.region},victoriametrics-${var.region}"
      SNAPSHOTS_KEPT      = var.snapshots_kept
    }
  }

  # Programs and units that more than one droplet has, by path on the droplet.
  programs = ["mount-volume", "add-repository", "fetch-archive", "report-metrics", "report-job"]

  shared = {
    for droplet, directory in local.directories : droplet => merge(
      { for name in local.programs : "/usr/local/sbin/${name}" => file("${path.module}/droplet/${name}") },
      {
        for unit in ["credentials.path", "credentials.service", "report-job@.service", "telemetry.target"] :
        "/etc/systemd/system/${unit}" => templatefile("${path.module}/droplet/${unit}", {
          directory = directory
          services  = local.services[droplet]
          timers    = local.timers[droplet]
        })
      },
      {
        "/etc/ssh/sshd_config.d/10-telemetry.conf" = file("${path.module}/droplet/sshd.conf")
        "/etc/sysctl.d/60-telemetry.conf"          = file("${path.module}/droplet/sysctl.conf")
        "/etc/starform/region.env" = join("", [
          for name, value in merge(local.environments[droplet], {
            DROPLET          = droplet
            REGION           = var.region
            VOLUME_DIRECTORY = directory
            METRICS_URL      = "https://${local.hosts.victoriametrics}:8427/api/v1/import/prometheus"
          }) : "${name}=${value}\n"
        ])
      },
    )
  }

  snapshots = {
    for droplet in ["clickhouse", "victoriametrics"] : droplet => {
      "/usr/local/sbin/snapshot-volume" = file("${path.module}/droplet/snapshot-volume")
      "/etc/systemd/system/volume-snapshot.service" = templatefile("${path.module}/droplet/volume-snapshot.service", {
        directory = local.directories[droplet]
      })
      "/etc/systemd/system/volume-snapshot.timer" = file("${path.module}/droplet/volume-snapshot.timer")
    }
  }

  files = {
    clickhouse = merge(local.shared.clickhouse, local.snapshots.clickhouse, {
      "/etc/clickhouse-server/config.d/telemetry.xml"                  = file("${path.module}/clickhouse/config.xml")
      "/etc/clickhouse-server/users.d/telemetry.xml"                   = file("${path.module}/clickhouse/users.xml")
      "/etc/starform/schema.sql"                                       = file("${path.module}/clickhouse/schema.sql")
      "/etc/systemd/system/clickhouse-server.service.d/telemetry.conf" = file("${path.module}/clickhouse/clickhouse-server.conf")
      "/etc/systemd/system/clickhouse-schema.service"                  = file("${path.module}/clickhouse/clickhouse-schema.service")
      "/etc/systemd/system/backup-closed-days.service"                 = file("${path.module}/clickhouse/backup-closed-days.service")
      "/etc/systemd/system/backup-closed-days.timer"                   = file("${path.module}/clickhouse/backup-closed-days.timer")
      "/etc/systemd/system/volume-snapshot.service.d/clickhouse.conf"  = file("${path.module}/clickhouse/volume-snapshot.conf")
      "/usr/local/sbin/apply-schema"                                   = file("${path.module}/clickhouse/apply-schema")
      "/usr/local/sbin/backup-closed-days"                             = file("${path.module}/clickhouse/backup-closed-days")
      "/usr/local/sbin/before-snapshot"                                = file("${path.module}/clickhouse/before-snapshot")
      "/usr/local/sbin/after-snapshot"                                 = file("${path.module}/clickhouse/after-snapshot")
      "/usr/local/sbin/install-telemetry"                              = file("${path.module}/clickhouse/install")
    })
    victoriametrics = merge(local.shared.victoriametrics, local.snapshots.victoriametrics, {
      "/etc/victoriametrics/vmauth.yml"             = file("${path.module}/victoriametrics/vmauth.yml")
      "/etc/victoriametrics/rules/rules.yaml"       = file("${path.module}/victoriametrics/rules.yaml")
      "/etc/victoriametrics/rules/alerts.yaml"      = file("${path.module}/victoriametrics/alerts.yaml")
      "/etc/systemd/system/victoriametrics.service" = file("${path.module}/victoriametrics/victoriametrics.service")
      "/etc/systemd/system/vmauth.service"          = file("${path.module}/victoriametrics/vmauth.service")
      "/etc/systemd/system/vmalert.service"         = file("${path.module}/victoriametrics/vmalert.service")
      "/usr/local/sbin/before-snapshot"             = file("${path.module}/victoriametrics/before-snapshot")
      "/usr/local/sbin/after-snapshot"              = file("${path.module}/victoriametrics/after-snapshot")
      "/usr/local/sbin/install-telemetry"           = file("${path.module}/victoriametrics/install")
      "/etc/victoriametrics/scrape.yml" = templatefile("${path.module}/victoriametrics/scrape.yml", {
        region          = var.region
        clickhouse_host = local.hosts.clickhouse
        vector_host     = local.hosts.vector_agg
      })
    })
    vector_agg = merge(local.shared.vector_agg, {
      "/etc/vector/logs.vrl"                                = file("${path.module}/vector/logs.vrl")
      "/etc/vector/dead-letters.vrl"                        = file("${path.module}/vector/dead-letters.vrl")
      "/etc/systemd/system/vector.service.d/telemetry.conf" = file("${path.module}/vector/vector.conf")
      "/etc/systemd/system/prune-snapshots.service"         = file("${path.module}/vector/prune-snapshots.service")
      "/etc/systemd/system/prune-snapshots.timer"           = file("${path.module}/vector/prune-snapshots.timer")
      "/usr/local/sbin/prune-snapshots"                     = file("${path.module}/droplet/prune-snapshots")
      "/usr/local/sbin/install-telemetry"                   = file("${path.module}/vector/install")
      "/etc/vector/vector.yaml" = templatefile("${path.module}/vector/vector.yaml", {
        clickhouse_host = local.hosts.clickhouse
        buffer_bytes    = floor(var.vector_volume_gib * 0.8) * 1073741824
      })
    })
  }

  user_data = {
    clickhouse      = templatefile("${path.module}/cloud-init/clickhouse.yml", { files = local.files.clickhouse })
    victoriametrics = templatefile("${path.module}/cloud-init/vmstorage.yml", { files = local.files.victoriametrics })
    vector_agg      = templatefile("${path.module}/cloud-init/vector.yml", { files = local.files.vector_agg })
  }
}
