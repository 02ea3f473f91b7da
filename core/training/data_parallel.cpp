// SPDX-License-Identifier: Apache-2.0
#include "core/training/data_parallel.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_zero.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/error.h"
#include "core/training/optimizer.h"

namespace remixer::training {
namespace {

constexpr int64_t kFirstBucketBytes = int64_t{1} << 20;
constexpr int64_t kBucketBytes = int64_t{25} << 20;

// The bucket layout depends on the parameters' sizes alone and is never rebuilt from the order in
// which gradients arrive: a resumed run sums in the same order. Gradients become ready from the
// model's end, so buckets are filled from there.
std::unique_ptr<c10d::Reducer> make_reducer(const models::Model& model,
                                            Communicator& communicator) {
  std::vector<at::Tensor> parameters;
  std::unordered_map<size_t, std::string> names;
  for (const auto& [name, parameter] : model.parameters()) {
    names.emplace(parameters.size(), name);
    parameters.push_back(parameter);
  }
  std::vector<at::Tensor> reversed(parameters.rbegin(), parameters.rend());
  std::vector<int64_t> indices;
  for (size_t i = parameters.size(); i > 0; --i) indices.push_back(static_cast<int64_t>(i - 1));
  const std::vector<bool> sparse(parameters.size(), false);
  auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(
      reversed, {static_cast<size_t>(kFirstBucketBytes), static_cast<size_t>(kBucketBytes)}, sparse,
      indices);
  return std::make_unique<c10d::Reducer>(
      parameters, buckets, communicator.process_group(), sparse, kBucketBytes,
      /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/true, names, kFirstBucketBytes,
      /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
      /*bucket_bytes_cap_list=*/std::vector<int64_t>{});
}

}  // namespace

void broadcast_tensors(const std::vector<models::Model::NamedTensor>& tensors,
                       Communicator& communicator) {
  if (communicator.size() == 1) return;
  at::NoGradGuard no_grad;
  std::string bytes;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor values = tensor.cpu().contiguous();
    bytes.append(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
  }
  const size_t expected = bytes.size();
  bytes = communicator.broadcast(std::move(bytes));
  assert(bytes.size() == expected);
  (void)expected;
  size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor values = at::empty(tensor.sizes(), at::TensorOptions(tensor.scalar_type()));
    std::memcpy(values.data_ptr(), bytes.data() + offset, values.nbytes());
    offset += values.nbytes();
    tensor.copy_(values);
  }
}

DataParallel::DataParallel(models::Model& model, Communicator& communicator, int64_t shards)
    : model_(model), communicator_(communicator) {
  const int64_t ranks = communicator.size();
  if (shards % ranks != 0) {
    fail_input(
        "the recipe's {} shards cannot be divided among {} ranks; run on a number of ranks that "
        "divides {}",
        shards, ranks, shards);
  }
  shards_per_rank_ = shards / ranks;
  first_shard_ = communicator.rank() * shards_per_rank_;
  broadcast_tensors(model.parameters(), communicator);
  broadcast_tensors(model.buffers(), communicator);
  // Gradients exist from the start, so that the first step's sums are computed like all others.
  for (const auto& [name, parameter] : model.parameters()) {
    parameter.mutable_grad() = at::zeros_like(parameter);
  }
  if (ranks > 1) reducer_ = make_reducer(model, communicator);
}

DataParallel::~DataParallel() = default;

void DataParallel::zero_gradients() {
  at::NoGradGuard no_grad;
  at::_foreach_zero_(gradients_of(model_.parameters()));
}

void DataParallel::backward(const at::Tensor& loss, bool last) {
  // The Reducer divides by the number of ranks; together these give the mean over shards.
  const at::Tensor scaled = loss / static_cast<double>(shards_per_rank_);
  if (reducer_ && last) {
    communicator_.gather_for_gradients();
    reducer_->prepare_for_backward({scaled});
  }
  torch::autograd::backward({scaled});
}

}  // namespace remixer::training
