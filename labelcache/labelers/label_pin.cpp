// SPDX-License-Identifier: Apache-2.0
#include "labelcache/labelers/label_pin.h"

#include <map>

#include "base/error.h"
#include "base/file.h"
#include "labelcache/file/label_file_reader.h"
#include "labelcache/file/partial_file.h"
#include "labelcache/labelers/labeler.h"
#include "labelcache/labelers/script_model.h"
#include "labelcache/networks/u2net.h"
#include "labelcache/networks/unet.h"
#include "labelcache/networks/weights.h"

namespace remixer::labelcache {
namespace {

namespace fs = std::filesystem;

// Copies a file atomically.
void copy_whole(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::create_directories(to.parent_path(), code);
  if (fs::exists(to) && fs::equivalent(from, to)) return;
  const fs::path partial = PartialFile::name_of(to);
  fs::copy_file(from, partial, fs::copy_options::overwrite_existing, code);
  if (code) fail("cannot copy {} to {}: {}", from.string(), to.string(), code.message());
  fs::rename(partial, to);
  sync_folder(to.parent_path());
}

fs::path labels_folder(const WeightFolders& folders, const std::string& sha256) {
  return own_weights(folders, "labels", sha256, "");
}

}  // namespace

Pin pin_script(const fs::path& description, const fs::path& weights) {
  const ScriptModel model(read_script_description(description));
  const std::string sha256 = model.description().sha256();
  const fs::path file = own_weights(weights, "script", sha256, ".pt");
  copy_whole(model.description().model, file);
  write_file_atomic(own_weights(weights, "script", sha256, ".toml"),
                    to_toml(model.description(), file.filename().string()));
  return {model.description().kind == "saliency" ? "script_saliency" : "script_relabel",
          "weights_sha256", sha256};
}

Pin pin_labels(const std::vector<fs::path>& files, const fs::path& weights) {
  std::map<std::string, fs::path> by_split;
  Json contents = Json::object();
  std::string dataset;
  MapShape shape;
  for (const fs::path& file : files) {
    const LabelFileReader reader(file);
    reader.verify();
    const Provenance& provenance = reader.provenance();
    if (by_split.empty()) {
      dataset = provenance.dataset_sha256;
      shape = provenance.shape;
    }
    if (provenance.dataset_sha256 != dataset || provenance.shape != shape) {
      fail_input("{}: of another dataset, or maps of another kind, than {}", file.string(),
                 by_split.begin()->second.string());
    }
    if (!by_split.emplace(provenance.split, file).second) {
      fail_input("{}: a second file of split '{}'", file.string(), provenance.split);
    }
    contents[provenance.split] = reader.content_sha256();
  }
  const std::string sha256 = content_id(contents);
  for (const auto& [split, file] : by_split) {
    copy_whole(file, labels_folder(weights, sha256) / (split + ".labels"));
  }
  return {shape.top_k > 0 ? "imported_maps" : "imported_masks", "labels_sha256", sha256};
}

Pin pin_network(const fs::path& file, const fs::path& weights) {
  const NetworkWeights source(file);
  const std::string name = file.filename().string().substr(0, file.filename().string().find('-'));
  if (name == "bigbigan") {
    const UNet network(file);
  } else if (name == "u2net") {
    const U2Net network(file);
  } else {
    fail_input(
        "{}: no network that can be pinned; weights/convert.py makes bigbigan-HASH.safetensors "
        "and u2net-HASH.safetensors",
        file.string());
  }
  copy_whole(file, own_weights(weights, name, source.source_sha256(), ".safetensors"));
  return {name, "weights_sha256", source.source_sha256()};
}

fs::path pinned_labels(const WeightFolders& folders, const std::string& sha256,
                       const std::string& split) {
  const fs::path file = labels_folder(folders, sha256) / (split + ".labels");
  if (!fs::exists(file)) {
    fail_input(
        "{}: no such labels; import them, then `remixer labels pin` all splits' files together",
        file.string());
  }
  return file;
}

}  // namespace remixer::labelcache
