// SPDX-License-Identifier: Apache-2.0
#include "base/saliency_file.h"

#include "base/error.h"
#include "base/parse_json.h"
#include "base/safetensors_file.h"

namespace remixer {
namespace {

std::vector<std::string> texts(const SafetensorsFile& file, const std::string& key) {
  const std::string where = file.path().string() + ": " + key;
  const Json json = parse_json(file.metadata(key), where);
  std::vector<std::string> list;
  if (!json.is_array()) fail_input("{} is no list", where);
  for (const Json& text : json) {
    if (!text.is_string()) fail_input("{} holds something other than texts", where);
    list.push_back(text.get<std::string>());
  }
  return list;
}

void check_shape(const SafetensorsFile& file, const std::string& name,
                 const std::vector<int64_t>& shape, ElementType type) {
  const TensorEntry& entry = file.entry(name);
  if (entry.shape != shape || entry.type != type) {
    fail_input("{}: not a file of saliency maps: '{}' has another shape or type",
               file.path().string(), name);
  }
}

std::vector<uint8_t> bytes_of(const SafetensorsFile& file, const std::string& name) {
  const std::vector<int64_t> wide = file.integers(name);
  return {wide.begin(), wide.end()};
}

}  // namespace

void write_saliency(const std::filesystem::path& path, const SaliencyFile& file) {
  const int64_t n = file.size(), side = file.side, grid = file.grid;
  std::vector<TensorSource> tensors{tensor_source("images", {n, side, side, 3}, file.images),
                                    tensor_source("maps", {n, grid, grid}, file.maps),
                                    tensor_source("right", {n}, file.right)};
  if (!file.patch_values.empty())
    tensors.push_back(tensor_source("patch_values", {n, grid, grid}, file.patch_values));
  if (!file.patch_classes.empty())
    tensors.push_back(tensor_source("patch_classes", {n, grid, grid}, file.patch_classes));
  write_tensor_file(path, std::move(tensors),
                    {{"cell", file.cell},
                     {"eval_set", file.eval_set},
                     {"dataset_sha256", file.dataset_sha256},
                     {"method", file.method},
                     {"explained", file.explained},
                     {"samples", Json(file.samples).dump()},
                     {"classes", Json(file.classes).dump()},
                     {"answers", Json(file.answers).dump()}});
}

SaliencyFile read_saliency(const std::filesystem::path& path) {
  const SafetensorsFile tensors(path);
  SaliencyFile file;
  file.cell = tensors.metadata("cell");
  file.eval_set = tensors.metadata("eval_set");
  file.dataset_sha256 = tensors.metadata("dataset_sha256");
  file.method = tensors.metadata("method");
  file.explained = tensors.metadata("explained");
  file.samples = texts(tensors, "samples");
  file.classes = texts(tensors, "classes");
  file.answers = texts(tensors, "answers");
  const int64_t n = file.size();
  const auto& images = tensors.entry("images").shape;
  const auto& maps = tensors.entry("maps").shape;
  if (images.size() != 4 || maps.size() != 3 || n == 0 || images[1] == 0 || maps[1] == 0 ||
      file.classes.size() != file.samples.size() || file.answers.size() != file.samples.size()) {
    fail_input("{}: not a file of saliency maps", path.string());
  }
  file.side = images[1];
  file.grid = maps[1];
  const std::vector<int64_t> of_patches{n, file.grid, file.grid};
  check_shape(tensors, "images", {n, file.side, file.side, 3}, ElementType::kU8);
  check_shape(tensors, "maps", of_patches, ElementType::kF32);
  check_shape(tensors, "right", {n}, ElementType::kU8);
  file.images = bytes_of(tensors, "images");
  file.maps = tensors.floats("maps");
  file.right = bytes_of(tensors, "right");
  if (tensors.has("patch_values")) {
    check_shape(tensors, "patch_values", of_patches, ElementType::kF32);
    file.patch_values = tensors.floats("patch_values");
  }
  if (tensors.has("patch_classes")) {
    check_shape(tensors, "patch_classes", of_patches, ElementType::kI32);
    const auto wide = tensors.integers("patch_classes");
    file.patch_classes.assign(wide.begin(), wide.end());
  }
  return file;
}

}  // namespace remixer
