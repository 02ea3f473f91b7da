// SPDX-License-Identifier: Apache-2.0
#include "core/training/cell_model.h"

#include "base/error.h"
#include "base/file.h"
#include "experiments/spec/components.h"

namespace remixer::training {

namespace {

bool holds(const std::filesystem::path& folder, const experiments::DatasetSpec& spec) {
  const auto manifest = Json::parse(read_file(folder / "manifest.json"));
  return manifest.value("spec", Json()) == write_value(spec);
}

}  // namespace

data::Dataset open_split(const experiments::DatasetSpec& spec, const std::filesystem::path& folder,
                         const std::string& split) {
  data::Dataset dataset = data::Dataset::open(folder, split);
  if (!holds(folder, spec)) {
    fail_input(
        "{}: its manifest says another spec than {}; this is not the dataset that is asked for",
        folder.string(), write_value(spec).dump());
  }
  return dataset;
}

data::Dataset open_split(const experiments::Cell& cell, const std::filesystem::path& folder,
                         const std::string& split) {
  data::Dataset dataset = data::Dataset::open(folder, split);
  if (!holds(folder, cell.dataset)) {
    fail_input("{}: this is not the dataset of cell {}; its manifest says another spec",
               folder.string(), cell.id());
  }
  return dataset;
}

int64_t image_size_of(const experiments::Cell& cell, const data::Dataset& dataset) {
  if (cell.recipe.image_size > 0) return cell.recipe.image_size;
  if (dataset.image_size() > 0) return dataset.image_size();
  return experiments::find_architecture(cell.architecture).image_size;
}

models::ModelSpec model_spec(const experiments::Cell& cell, const data::Dataset& dataset,
                             int64_t token_classes) {
  models::ModelSpec spec;
  spec.architecture = cell.architecture;
  spec.spatial_prior = cell.spatial_prior;
  spec.num_classes = static_cast<int64_t>(dataset.classes().size());
  spec.image_size = image_size_of(cell, dataset);
  spec.remixer = cell.is_remixer();
  spec.drop_path = cell.recipe.drop_path;
  spec.token_classes = token_classes;
  return spec;
}

models::EvaluationSettings evaluation_settings(const experiments::Cell& cell,
                                               const data::Dataset& dataset) {
  models::EvaluationSettings settings;
  settings.classes = dataset.classes();
  settings.mean = dataset.mean();
  settings.deviation = dataset.deviation();
  settings.image_size = image_size_of(cell, dataset);
  settings.crop = cell.recipe.evaluation_crop;
  settings.token_vote = cell.recipe.token_labeling == "original";
  if (cell.is_remixer()) {
    settings.labeler = cell.labeler;
    settings.distance = cell.distance;
  }
  return settings;
}

}  // namespace remixer::training
