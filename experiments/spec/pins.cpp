// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/pins.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/nearest_name.h"

namespace remixer::experiments {
namespace {

fs::path file_of(const fs::path& workspace, const std::string& name) {
  return weights_folder(workspace) / (name + ".pin.json");
}

}  // namespace

fs::path weights_folder(const fs::path& workspace) {
  return workspace / "weights";
}

std::optional<WorkspacePin> find_pin(const fs::path& workspace, const std::string& name) {
  if (!is_plain_name(name)) return std::nullopt;
  const fs::path file = file_of(workspace, name);
  const auto text = read_file_if_exists(file);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  try {
    return WorkspacePin{json.at("kind").get<std::string>(), json.at("key").get<std::string>(),
                        json.at("sha256").get<std::string>()};
  } catch (const Json::exception&) {
    fail_input("{} is torn; `remixer labels pin` writes it again", file.string());
  }
}

void write_pin(const fs::path& workspace, const std::string& name, const WorkspacePin& pin) {
  if (!is_plain_name(name)) {
    fail_input("'{}' cannot be a name: use letters, digits, '_', '-' and '.' only", name);
  }
  const Json json = {{"kind", pin.kind}, {"key", pin.key}, {"sha256", pin.sha256}};
  write_file_atomic(file_of(workspace, name), json.dump(2) + "\n");
}

fs::path pinned_file(const fs::path& folder, const std::string& name, const std::string& sha256,
                     const std::string& extension) {
  return folder / fmt::format("{}-{:.16}{}", name, sha256, extension);
}

PinAdvice pin_advice(const std::string& kind, const std::string& name) {
  const auto named = [&](const std::string& usual) {
    return name == usual ? "" : " --name " + name;
  };
  // convert.py imports numpy, which ./setup puts into .deps/python.
  const auto converted = [&](const char* file) {
    return fmt::format(
        "PYTHONPATH=.deps/python python3 labelcache/weights/convert.py --{0} {1} --output . && "
        "remixer labels pin {0}-*.safetensors{2}",
        kind, file, named(kind));
  };
  if (kind == "bigbigan") {
    return {"u_net_imagenet.pth, linked from the repository anvoynov/BigGANsAreWatching",
            converted("u_net_imagenet.pth"), 0.054};
  }
  if (kind == "u2net") {
    return {"u2net.pth, linked from the repository xuebinqin/U-2-Net", converted("u2net.pth"),
            0.176};
  }
  if (kind == "script_relabel" && name == "dm_nfnet_f6") {
    return {"NFNet-F6 in the repository huggingface/pytorch-image-models (timm), model dm_nfnet_f6",
            "python3 labelcache/export/classifier.py --model dm_nfnet_f6 --input-size 576 --output "
            "nfnet && remixer labels pin nfnet/dm_nfnet_f6.toml",
            1.8};
  }
  if (kind == "imported_maps" || kind == "imported_masks") {
    return {kind == "imported_maps" && name == "tokenlabeling"
                ? "label_top5_train_nfnet, linked from the repository zihangJiang/TokenLabeling"
                : "",
            "remixer labels import FORMAT FOLDER --dataset DATASET --split SPLIT --output "
            "SPLIT.labels (each split), then remixer labels pin *.labels --name " +
                name,
            kind == "imported_maps" && name == "tokenlabeling" ? 9.2 : 0};
  }
  return {"", "remixer labels pin NETWORK.toml --name " + name, 0};
}

}  // namespace remixer::experiments
