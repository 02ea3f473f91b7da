// The state of a run on disk, from which it goes on.
//
// A checkpoint is two files: checkpoint-<step>.safetensors holds the tensors, checkpoint-<step>.json,
// written after it, the rest and the SHA-256 of both. One without the other is no checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/models/model.h"

namespace remixer::training {

// Everything but tensors.
struct RunState {
  std::string cell;        // the cell's id
  int64_t step = 0;        // optimiser steps taken
  int64_t epoch = 0;       // of the last step
  double loss_sum = 0;     // over the last step's epoch so far
  int64_t loss_count = 0;  // steps in that sum
};

struct Checkpoint {
  std::filesystem::path tensors;  // the safetensors file, its hash verified
  RunState state;
};

// Writes a checkpoint atomically and then removes all but the folder's newest two.
void write_checkpoint(const std::filesystem::path& folder, const RunState& state,
                      const std::vector<models::Model::NamedTensor>& tensors);

// The checkpoint with the most steps in the folders (the later folder's, where equal) that is whole.
// Torn ones are named in the log and passed over; nothing where there is no whole one. Throws
// InputError naming the file where one belongs to another cell.
std::optional<Checkpoint> find_checkpoint(const std::vector<std::filesystem::path>& folders,
                                          const std::string& cell);

// Fills `tensors` from a checkpoint's file. Throws InputError naming file and tensor where one is
// missing, left over, or of another shape or type.
void read_tensors(const std::filesystem::path& file,
                  const std::vector<models::Model::NamedTensor>& tensors);

// The file name that the checkpoint of a step has, without folder: "checkpoint-00000120.safetensors".
std::string checkpoint_name(int64_t step);

}  // namespace remixer::training
