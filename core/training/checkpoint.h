// SPDX-License-Identifier: Apache-2.0
// Checkpoints: saves and restores the state of a training run.
//
// A checkpoint is two files: checkpoint-<step>.safetensors holds the tensors (weights, buffers,
// both moments of the optimiser, the moving average, the best epoch's weights),
// checkpoint-<step>.json, written after it, the rest and the SHA-256 of both. One without the other
// is no checkpoint. Sampler and random numbers have no state but their names: (seed, epoch, step),
// which are in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/models/model.h"
#include "core/training/precision.h"

namespace remixer::training {

// Everything but tensors.
struct RunState {
  std::string cell;  // the cell's id
  int64_t seed = 0;
  int64_t step = 0;        // global batches done
  int64_t updates = 0;     // of them, those that moved the weights: fp16 leaves some out
  int64_t epoch = 0;       // of the last step
  double loss_sum = 0;     // over the last step's epoch so far
  int64_t loss_count = 0;  // steps in that sum
  LossScale scaler;
  // Of the held-out images, where the recipe holds some out.
  int64_t best_epoch = -1;  // -1: none is over yet
  double best_top1 = 0, best_loss = 0;
  // Who serves the operators, see kernel_choice.h; null where nothing was to be chosen.
  Json kernels;
  bool operator==(const RunState&) const = default;
};

// As JSON, and back; of the format before this one as well.
Json to_json(const RunState& state);
RunState run_state_from_json(const Json& json);

struct Checkpoint {
  std::filesystem::path tensors;  // the safetensors file, its hash verified
  RunState state;
};

// Writes a checkpoint atomically and then removes all but the folder's newest two.
void write_checkpoint(const std::filesystem::path& folder, const RunState& state,
                      const std::vector<models::Model::NamedTensor>& tensors);

// The checkpoint with the most steps in the folders (the later folder's, where equal) that is
// whole. Torn ones are named in the log and passed over; nothing where there is no whole one.
// Throws InputError naming the file where one belongs to another cell.
std::optional<Checkpoint> find_checkpoint(const std::vector<std::filesystem::path>& folders,
                                          const std::string& cell);

// Fills `tensors` from a checkpoint's file. Throws InputError naming file and tensor where one is
// missing, left over, or of another shape or type.
void read_tensors(const std::filesystem::path& file,
                  const std::vector<models::Model::NamedTensor>& tensors);

// The file name that the checkpoint of a step has, without folder:
// "checkpoint-00000120.safetensors".
std::string checkpoint_name(int64_t step);

}  // namespace remixer::training
