// SPDX-License-Identifier: Apache-2.0
// Trains one cell: data-parallel and resumable.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/augment/patch_labels.h"
#include "core/distributed/communicator.h"
#include "core/loading/memory_at_hand.h"
#include "experiments/spec/cell.h"

namespace remixer::training {

// Most are reported every 20 steps and at the last one.
struct Metric {
  int64_t step = 0;
  double epoch = 0;  // fractional
  // "loss" and "images_per_second" (means since the last report), "lr", "kappa.<block>";
  // "loss_scale" with fp16. When the run begins or resumes, "base_lr": the schedule's peak rate.
  // After each epoch, if images are held out, "hold_out.top1" (percent) and "hold_out.loss".
  std::string name;
  double value = 0;
};

struct Progress {
  int64_t step = 0, total_steps = 0;  // optimiser steps, of the whole run
  std::vector<Metric> metrics;        // new since the last call, often empty
  double loss = 0;                    // of this step, the mean over all shards
};

enum class Directive { kContinue, kStop };  // kStop: checkpoint, then return unfinished

struct TrainJob {
  experiments::Cell cell;
  std::filesystem::path dataset;              // folder of the built dataset
  const data::LabelSource* labels = nullptr;  // required if the cell has a labeler
  std::filesystem::path folder;               // the attempt's own: checkpoints and weights go here
  std::vector<std::filesystem::path> resume_from;  // earlier attempts' folders, newest last
  // Time between checkpoints, longer if writing one takes long; 0: after every step.
  double checkpoint_seconds = 30;
  int loader_threads = 1;
  // Decoded images of one size are kept in memory if all of them take no more than this, and so are
  // the labels of whole images.
  int64_t cache_bytes = kUsualCacheBytes;
  // Called on rank 0 after every step; all ranks follow its answer at the end of that step.
  std::function<Directive(const Progress&)> on_step;
};

// The epoch, from 0, with the best weights on the held-out images.
struct BestEpoch {
  int64_t epoch = 0;
  double top1 = 0;  // percent
};

struct TrainOutcome {
  bool finished = false;  // false: stopped by a directive, after writing a checkpoint
  int64_t steps = 0;
  int64_t resumed_at = 0;         // the step it was resumed at; 0 for a fresh run
  double final_loss = 0;          // mean over the last epoch
  std::vector<double> kappa;      // by block; empty for a plain model
  std::optional<BestEpoch> best;  // if the recipe holds images out
  double seconds = 0;             // of this attempt
};

// Collective: every rank calls it with an equal job, and trains on its communicator's device. At
// the end, job.folder holds model.safetensors (the last epoch's weights), plus ema.safetensors if
// the recipe keeps an average and best.safetensors if it holds images out; rank 0 writes them. A
// run resumes from the newest complete checkpoint in job.resume_from and job.folder, and then
// equals the uninterrupted run bit for bit on equal hardware, ranks and threads. Torn checkpoints
// are logged and skipped. Ranks must see the same files. Throws InputError if shards cannot be
// divided among the ranks, data contradicts the cell, labels are missing, or a checkpoint belongs
// to another cell; Error naming step, rate and last checkpoint if the loss is not finite or has
// exploded. A checkpoint never holds weights that are not finite.
TrainOutcome train(const TrainJob& job, Communicator& communicator);

}  // namespace remixer::training
