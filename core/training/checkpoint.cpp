// SPDX-License-Identifier: Apache-2.0
#include "core/training/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "core/io/safetensors.h"

namespace remixer::training {
namespace {

constexpr int kFormat = 2, kOldestFormat = 1;
constexpr size_t kKept = 2;

// A description file that was found; its checkpoint may be incomplete.
struct Candidate {
  std::filesystem::path description;
  int64_t step = 0;
  size_t folder = 0;  // index into the list of folders
};

std::optional<int64_t> step_of(const std::filesystem::path& path) {
  const std::string stem = path.stem().string();
  constexpr std::string_view kPrefix = "checkpoint-";
  if (path.extension() != ".json" || !stem.starts_with(kPrefix)) return std::nullopt;
  const std::string digits = stem.substr(kPrefix.size());
  if (digits.empty() || digits.size() > 18 ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  return std::stoll(digits);
}

// Newest first.
std::vector<Candidate> list_candidates(const std::vector<std::filesystem::path>& folders) {
  std::vector<Candidate> found;
  for (size_t i = 0; i < folders.size(); ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folders[i], error)) {
      if (const auto step = step_of(entry.path())) found.push_back({entry.path(), *step, i});
    }
  }
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.step, a.folder) > std::tie(b.step, b.folder);
  });
  return found;
}

std::filesystem::path tensors_beside(std::filesystem::path description) {
  return description.replace_extension(".safetensors");
}

// Throws if the description or its tensors are torn.
RunState read_state(const std::filesystem::path& description) {
  Json json = Json::parse(read_file(description), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) fail("it is not JSON");
  const std::string hash = json.value("sha256", "");
  json.erase("sha256");
  if (hash != sha256_hex(json.dump())) fail("its hash does not fit its content");
  const int format = json.value("format", 0);
  if (format < kOldestFormat || format > kFormat) fail("its format {} is not known", format);
  if (sha256_file(tensors_beside(description)) != json.at("tensors_sha256").get<std::string>()) {
    fail("the hash of {} is another", tensors_beside(description).filename().string());
  }
  return run_state_from_json(json);
}

void remove_all_but_newest(const std::filesystem::path& folder) {
  const std::vector<Candidate> candidates = list_candidates({folder});
  for (size_t i = kKept; i < candidates.size(); ++i) {
    // Remove the description first: tensors alone are no checkpoint.
    std::error_code error;
    std::filesystem::remove(candidates[i].description, error);
    std::filesystem::remove(tensors_beside(candidates[i].description), error);
  }
}

}  // namespace

Json to_json(const RunState& state) {
  Json json = {{"cell", state.cell},
               {"seed", state.seed},
               {"step", state.step},
               {"updates", state.updates},
               {"epoch", state.epoch},
               {"loss_sum", state.loss_sum},
               {"loss_count", state.loss_count},
               {"unreported_loss_sum", state.unreported.sum},
               {"unreported_losses", state.unreported.steps},
               {"loss_scale", state.scaler.scale},
               {"loss_scale_good_steps", state.scaler.good_steps},
               {"best_epoch", state.best_epoch},
               {"best_top1", state.best_top1},
               {"best_loss", state.best_loss}};
  if (!state.kernels.is_null()) json["kernels"] = state.kernels;
  return json;
}

RunState run_state_from_json(const Json& json) {
  RunState state;
  state.cell = json.at("cell");
  state.step = json.at("step");
  state.epoch = json.at("epoch");
  state.loss_sum = json.at("loss_sum");
  state.loss_count = json.at("loss_count");
  // Absent from format 1, whose recipes did not need them, and the unreported losses from the first
  // checkpoints of format 2.
  state.seed = json.value("seed", state.seed);
  state.updates = json.value("updates", state.step);
  state.unreported.sum = json.value("unreported_loss_sum", 0.0);
  state.unreported.steps = json.value("unreported_losses", int64_t{0});
  state.scaler.scale = json.value("loss_scale", state.scaler.scale);
  state.scaler.good_steps = json.value("loss_scale_good_steps", state.scaler.good_steps);
  state.best_epoch = json.value("best_epoch", state.best_epoch);
  state.best_top1 = json.value("best_top1", state.best_top1);
  state.best_loss = json.value("best_loss", state.best_loss);
  if (json.contains("kernels")) state.kernels = json["kernels"];
  return state;
}

std::string checkpoint_name(int64_t step) {
  return fmt::format("checkpoint-{:08}.safetensors", step);
}

void write_checkpoint(const std::filesystem::path& folder, const RunState& state,
                      const std::vector<models::Model::NamedTensor>& tensors) {
  const std::filesystem::path file = folder / checkpoint_name(state.step);
  io::write_safetensors(file, tensors);
  Json json = to_json(state);
  json["format"] = kFormat;
  json["tensors_sha256"] = sha256_file(file);
  json["sha256"] = sha256_hex(json.dump());
  auto description = file;
  failpoint("before-checkpoint");
  write_file_atomic(description.replace_extension(".json"), json.dump(2) + "\n");
  failpoint("after-checkpoint");
  remove_all_but_newest(folder);
}

std::optional<Checkpoint> find_checkpoint(const std::vector<std::filesystem::path>& folders,
                                          const std::string& cell) {
  for (const Candidate& candidate : list_candidates(folders)) {
    RunState state;
    try {
      state = read_state(candidate.description);
    } catch (const std::exception& error) {
      spdlog::warn("checkpoint {} is torn and is skipped: {}", candidate.description.string(),
                   error.what());
      continue;
    }
    if (state.cell != cell) {
      fail_input("checkpoint {} belongs to cell {}, not to {}; remove it or give another folder",
                 candidate.description.string(), state.cell, cell);
    }
    return Checkpoint{tensors_beside(candidate.description), state};
  }
  return std::nullopt;
}

void read_tensors(const std::filesystem::path& file,
                  const std::vector<models::Model::NamedTensor>& tensors) {
  at::NoGradGuard no_grad;
  const io::Safetensors content = io::read_safetensors(file);
  std::set<std::string> expected;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor& stored = content.at(name);
    if (stored.sizes() != tensor.sizes() || stored.scalar_type() != tensor.scalar_type()) {
      fail_input("{}: tensor {} is of another shape or type than the model's", file.string(), name);
    }
    expected.insert(name);
  }
  for (const auto& [name, tensor] : content.tensors) {
    if (!expected.contains(name)) {
      fail_input("{}: tensor {} is not a part of this run's state", file.string(), name);
    }
  }
  for (const auto& [name, tensor] : tensors) tensor.copy_(content.at(name));
}

}  // namespace remixer::training
