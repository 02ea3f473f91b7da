#include "core/training/cell_model.h"

#include "core/base/error.h"
#include "core/base/file.h"

namespace remixer::training {

data::Dataset open_split(const experiments::Cell& cell, const std::filesystem::path& folder,
                         const std::string& split) {
  data::Dataset dataset = data::Dataset::open(folder, split);
  const auto manifest = experiments::Json::parse(read_file(folder / "manifest.json"));
  if (manifest.value("spec", experiments::Json()) != cell.dataset) {
    fail_input("{}: this is not the dataset of cell {}; its manifest says another spec",
               folder.string(), cell.id());
  }
  return dataset;
}

models::ModelSpec model_spec(const experiments::Cell& cell, const data::Dataset& dataset) {
  models::ModelSpec spec;
  spec.architecture = cell.architecture;
  spec.spatial_prior = cell.spatial_prior;
  spec.num_classes = static_cast<int64_t>(dataset.classes().size());
  spec.image_size = dataset.image_size();
  spec.remixer = !cell.labeler.is_null();
  spec.drop_path = cell.recipe.drop_path;
  return spec;
}

}  // namespace remixer::training
