// SPDX-License-Identifier: Apache-2.0
#include "core/io/checkpoint.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/installation.h"

extern char** environ;

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

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "remixer-weights-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      fail("cannot make a folder in {}: {}", fs::temp_directory_path().string(), errno_text(errno));
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

// Runs the converter; its complaint goes to `complaint`.
int run_converter(const fs::path& input, const fs::path& output, const std::string& key,
                  const fs::path& complaint) {
  const fs::path script = program_folder() / "remixer-checkpoint.py";
  if (!fs::exists(script)) {
    fail("{} is missing, which reads .pth checkpoints: build again", script.string());
  }
  // Isolated: no module of the user's own stands in for Python's.
  std::vector<std::string> texts{kPython, "-I", script.string(), input.string(), output.string()};
  if (!key.empty()) texts.insert(texts.end(), {"--key", key});
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, complaint.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, kPython, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    fail(
        "{}: .pth checkpoints are read by {}, which cannot be started ({}): install Debian's "
        "python3",
        input.string(), kPython, errno_text(error));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// The last line, without the newline.
std::string last_line(const fs::path& path) {
  std::string line, last;
  std::ifstream in(path);
  while (std::getline(in, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

// Takes off what wrappers put before every name, one around the other: torch.compile,
// DistributedDataParallel, and Lightning's module that calls its model so.
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
  const TemporaryFolder folder;
  const fs::path complaint = folder / "complaint";
  if (run_converter(path, folder / "weights.safetensors", key, complaint) != 0) {
    const std::string text = last_line(complaint);
    fail_input("{}", text.empty() ? path.string() + ": the converter ended without a word" : text);
  }
  Safetensors weights = read_safetensors(folder / "weights.safetensors");
  weights.path = path;
  weights.metadata.clear();
  strip_wrappers(weights);
  return weights;
}

}  // namespace remixer::io
