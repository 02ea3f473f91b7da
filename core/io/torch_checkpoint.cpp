// SPDX-License-Identifier: Apache-2.0
#include "core/io/torch_checkpoint.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "base/capture_output.h"
#include "base/child_process.h"
#include "base/error.h"
#include "base/file.h"
#include "base/installation.h"
#include "base/temporary_folder.h"

namespace remixer::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPython = "python3";

bool is_torch_file(const fs::path& path) {
  std::array<char, 2> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  const bool zip = start[0] == 'P' && start[1] == 'K';
  const bool pickle = start[0] == '\x80' && start[1] >= 2 && start[1] <= 5;
  return zip || pickle;
}

// Runs the converter. Returns the last line of its error output; empty on success.
std::string convert(const fs::path& input, const fs::path& output, const std::string& key) {
  constexpr double kLongest = 3600;
  const fs::path script = program_folder() / "remixer-checkpoint.py";
  if (!fs::exists(script)) {
    fail("{} is missing, which reads .pth checkpoints: build again", script.string());
  }
  if (find_program(kPython).empty()) {
    fail("{}: .pth checkpoints are read by {}, which is not in PATH: install Debian's python3",
         input.string(), kPython);
  }
  // Isolated mode: no user module can replace Python's own.
  std::vector<std::string> arguments{kPython, "-I", script.string(), input.string(),
                                     output.string()};
  if (!key.empty()) arguments.insert(arguments.end(), {"--key", key});
  const Captured run = run_captured(arguments, kLongest);
  if (run.code == 0) return "";
  std::string_view text = run.errors;
  while (text.ends_with('\n')) text.remove_suffix(1);
  text.remove_prefix(text.rfind('\n') + 1);
  return text.empty() ? input.string() + ": the converter ended without a word" : std::string(text);
}

}  // namespace

// Removes nested wrapper prefixes that all names share: of torch.compile, of
// DistributedDataParallel, and of Lightning modules, which call their model "model".
static void strip_wrappers(Safetensors& file) {
  const auto wrapped_in = [&](std::string_view prefix) {
    return !file.tensors.empty() &&
           std::all_of(file.tensors.begin(), file.tensors.end(), [&](const auto& tensor) {
             return tensor.first.size() > prefix.size() && tensor.first.starts_with(prefix);
           });
  };
  for (bool any = true; any;) {
    any = false;
    for (const std::string_view prefix : {"_orig_mod.", "module.", "model."}) {
      if (!wrapped_in(prefix)) continue;
      any = true;
      decltype(file.tensors) bare;
      for (auto& [name, tensor] : file.tensors) bare.emplace(name.substr(prefix.size()), tensor);
      file.tensors = std::move(bare);
    }
  }
}

Safetensors read_weights(const fs::path& path, const std::string& key) {
  if (!is_torch_file(path)) {
    if (!key.empty())
      fail_input("{}: a safetensors file has no entries to choose '{}' of", path.string(), key);
    Safetensors weights = read_safetensors(path);
    strip_wrappers(weights);
    return weights;
  }
  const TemporaryFolder folder("remixer-weights");
  const std::string complaint = convert(path, folder / "weights.safetensors", key);
  if (!complaint.empty()) fail_input("{}", complaint);
  Safetensors weights = read_safetensors(folder / "weights.safetensors");
  weights.path = path;
  weights.metadata.clear();
  strip_wrappers(weights);
  return weights;
}

}  // namespace remixer::io
