"""The region file is what Terraform writes."""

import importlib.util

import yaml

from conftest import REGION, ROOT


def test_the_example_is_terraforms_output_to_the_byte(tmp_path):
    specification = importlib.util.spec_from_file_location("region_conftest", ROOT / "tests" / "region" / "conftest.py")
    region = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(region)
    outputs = (ROOT / "manifests" / "region" / "outputs.tf").read_text()
    assert "value       = yamlencode({ region = var.region, stores = local.endpoints })" in outputs
    written = region.Terraform(tmp_path).evaluate("yamlencode({ region = var.region, stores = local.endpoints })")
    assert written == REGION.read_text()


def test_its_keys_are_all_that_values_name():
    content = yaml.safe_load(REGION.read_text())
    assert content.keys() == {"region", "stores"}
    assert content["region"] == REGION.stem
    assert content["stores"]["metrics"].keys() == {"write_url", "query_url"}
    assert content["stores"]["logs"].keys() == {"host", "port", "path", "query_url"}
