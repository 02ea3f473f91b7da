// SPDX-License-Identifier: Apache-2.0
#include "core/training/hold_out.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "core/loading/loader.h"
#include "core/training/objective.h"

namespace remixer::training {
namespace {

constexpr int64_t kBatch = 64;

}  // namespace

Division divide(uint64_t seed, int64_t count, double fraction) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  const auto held = static_cast<int64_t>(fraction * static_cast<double>(count));
  if (fraction > 0 && (held == 0 || held == count)) {
    fail_input("hold_out {} of {} training images leaves none to {}; choose another fraction",
               fraction, count, held == 0 ? "measure" : "train on");
  }
  Random random(seed, RandomPurpose::kHoldOut);
  // The first `held` steps of a shuffle.
  for (int64_t i = 0; i < held; ++i) {
    const auto other = i + static_cast<int64_t>(random.below(static_cast<uint64_t>(count - i)));
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(other)]);
  }
  Division division;
  division.held_out.assign(order.begin(), order.begin() + held);
  division.trained.assign(order.begin() + held, order.end());
  std::sort(division.held_out.begin(), division.held_out.end());
  std::sort(division.trained.begin(), division.trained.end());
  return division;
}

HeldOut measure(const experiments::Cell& cell, models::Model& model, SampleStore& store,
                const std::vector<int64_t>& samples, Communicator& communicator,
                int loader_threads) {
  const at::NoGradGuard no_grad;
  const auto count = static_cast<int64_t>(samples.size());
  const int64_t batches = (count + kBatch - 1) / kBatch;
  const int64_t size = communicator.size(), rank = communicator.rank();
  const int64_t mine = batches > rank ? (batches - rank - 1) / size + 1 : 0;
  const auto draws = [&](int64_t i) {
    const int64_t first = (rank + i * size) * kBatch, end = std::min(count, first + kBatch);
    std::vector<Draw> draws;
    for (int64_t k = first; k < end; ++k)
      draws.push_back({.sample = samples[static_cast<size_t>(k)]});
    return draws;
  };
  Loader loader(store, draws, 0, mine, std::max(1, loader_threads),
                BatchForm::of(communicator.device()));
  // [batches, 2]: correct answers and summed loss. Each batch belongs to one rank, so sums over
  // ranks are exact and the result does not depend on their number.
  at::Tensor sums = at::zeros({batches, 2}, at::kDouble);
  for (int64_t i = 0; i < mine; ++i) {
    const Batch batch = to_device(loader.next(), communicator.device());
    const at::Tensor logits = ranked_logits(cell, model, batch);
    const int64_t number = rank + i * size;
    sums[number][0] = logits.argmax(1).eq(batch.classes).sum().item<int64_t>();
    sums[number][1] = at::cross_entropy_loss(logits, batch.classes).item<double>() *
                      static_cast<double>(logits.size(0));
  }
  communicator.all_reduce_sum(sums);
  const auto* values = sums.const_data_ptr<double>();
  HeldOut result;
  for (int64_t i = 0; i < batches; ++i) {
    result.top1 += values[2 * i];
    result.loss += values[2 * i + 1];
  }
  result.top1 *= 100.0 / static_cast<double>(count);
  result.loss /= static_cast<double>(count);
  return result;
}

}  // namespace remixer::training
