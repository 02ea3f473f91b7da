// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/cell.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/object_reader.h"

namespace remixer::experiments {
namespace {

void write_identity(const Cell& cell, ObjectWriter& v) {
  v("architecture", cell.architecture);
  v("architecture_version", cell.architecture_version);
  v("spatial_prior", cell.spatial_prior);
  v("labeler", cell.labeler);
  v("distance", cell.distance);
  v("dataset", cell.dataset);
  v("recipe", to_json(cell.recipe));
  v("seed", cell.seed);
  v("precision", cell.precision);
}

void read_identity(const Json& json, Cell& cell) {
  ObjectReader v(json, "cell.identity");
  v("architecture", cell.architecture);
  v("architecture_version", cell.architecture_version);
  v("spatial_prior", cell.spatial_prior);
  v("labeler", cell.labeler);
  v("distance", cell.distance);
  v("dataset", cell.dataset);
  cell.recipe = recipe_from_json(v.member("recipe"));
  v("seed", cell.seed);
  v("precision", cell.precision);
  v.finish();
}

}  // namespace

Json Cell::identity() const {
  ObjectWriter writer;
  write_identity(*this, writer);
  return writer.take();
}

std::string Cell::id() const {
  return content_id(identity());
}

Json to_json(const Cell& cell) {
  return {{"identity", cell.identity()},
          {"labeler_name", cell.labeler_name},
          {"dataset_name", cell.dataset_name},
          {"recipe_name", cell.recipe_name}};
}

Cell cell_from_json(const Json& json) {
  Cell cell;
  ObjectReader v(json, "cell");
  read_identity(v.member("identity"), cell);
  v("labeler_name", cell.labeler_name);
  v("dataset_name", cell.dataset_name);
  v("recipe_name", cell.recipe_name);
  v.finish();
  if (const std::vector<std::string> known{"fp32", "tf32", "bf16", "fp16"};
      std::find(known.begin(), known.end(), cell.precision) == known.end()) {
    fail_input("cell.identity.precision: {}", unknown_name("value", cell.precision, known));
  }
  return cell;
}

}  // namespace remixer::experiments
