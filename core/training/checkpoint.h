// SPDX-License-Identifier: Apache-2.0
// Checkpoints: saves and restores the state of a training run.
//
// A checkpoint is two files: checkpoint-<step>.safetensors holds the tensors (weights, buffers,
// both moments of the optimiser, the moving average, the best epoch's weights), and
// checkpoint-<step>.json, written after it, the rest and the SHA-256 of both. One without the other
// is no checkpoint. Sampler and random numbers need no stored state: they are functions of (seed,
// epoch, step), which the checkpoint holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/models/model.h"
#include "core/training/metrics.h"
#include "core/training/precision.h"

namespace remixer::training {

// The training state besides tensors.
struct RunState {
  std::string cell;  // the cell's id
  int64_t seed = 0;
  int64_t step = 0;        // global batches done
  int64_t updates = 0;     // of these, steps that moved the weights: fp16 skips some
  int64_t epoch = 0;       // of the last step
  double loss_sum = 0;     // over the last step's epoch so far
  int64_t loss_count = 0;  // steps in that sum
  LossWindow unreported;   // losses since the last report
  LossScale scaler;
  // On held-out images, if the recipe holds any out.
  int64_t best_epoch = -1;  // -1: no epoch has ended yet
  double best_top1 = 0, best_loss = 0;
  // The implementation chosen for each operator (kernel_choice.h); null if there was no choice.
  Json kernels;
  bool operator==(const RunState&) const = default;
};

// To and from JSON; also reads the previous format.
Json to_json(const RunState& state);
RunState run_state_from_json(const Json& json);

struct Checkpoint {
  std::filesystem::path tensors;  // the safetensors file, its hash verified
  RunState state;
};

// Writes a checkpoint atomically and then removes all but the folder's newest two.
void write_checkpoint(const std::filesystem::path& folder, const RunState& state,
                      const std::vector<models::Model::NamedTensor>& tensors);

// The complete checkpoint with the most steps in the folders (on a tie, the later folder's), or
// nothing. Torn ones are logged and skipped. Throws InputError naming the file if one belongs to
// another cell.
std::optional<Checkpoint> find_checkpoint(const std::vector<std::filesystem::path>& folders,
                                          const std::string& cell);

// Fills `tensors` from a checkpoint's file. Throws InputError naming file and tensor if one is
// missing, left over, or of another shape or type.
void read_tensors(const std::filesystem::path& file,
                  const std::vector<models::Model::NamedTensor>& tensors);

// File name of a step's checkpoint, without the folder:
// "checkpoint-00000120.safetensors".
std::string checkpoint_name(int64_t step);

}  // namespace remixer::training
