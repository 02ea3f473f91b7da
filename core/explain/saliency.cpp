// SPDX-License-Identifier: Apache-2.0
#include "core/explain/saliency.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/truth.h"
#include "core/explain/relevance.h"
#include "core/kernels/operators.h"
#include "core/loading/loader.h"
#include "core/training/precision.h"
#include "core/training/token_labeling.h"

namespace remixer::explain {
namespace {

constexpr size_t kBatch = 8;

std::vector<int64_t> named_images(const std::vector<std::string>& names,
                                  const data::Dataset& dataset) {
  std::map<std::string, int64_t> numbers;
  for (const data::Sample& sample : dataset.samples()) {
    numbers.emplace(sample.id, static_cast<int64_t>(numbers.size()));
  }
  std::vector<int64_t> chosen;
  for (const std::string& name : names) {
    const auto found = numbers.find(name);
    if (found == numbers.end()) {
      fail_input("{}: split {} has no sample '{}'", dataset.folder().string(), dataset.split(),
                 name);
    }
    chosen.push_back(found->second);
  }
  return chosen;
}

std::vector<training::Draw> draws(const std::vector<int64_t>& chosen, size_t first) {
  std::vector<training::Draw> draws;
  for (size_t i = first; i < std::min(chosen.size(), first + kBatch); ++i) {
    draws.push_back({.sample = chosen[i]});
  }
  return draws;
}

// If only the model's own answers are explained, classes that are unknown or not in the set count
// as none.
Truth truth_for(const models::Model& model, const SaliencyJob& job) {
  const std::vector<std::string>& classes = job.settings.classes;
  if (job.logit != SaliencyJob::Logit::kAnswer) return evaluation::truth_of(classes, job.dataset);
  try {
    return evaluation::truth_of(classes, job.dataset);
  } catch (const InputError&) {
    Truth truth = evaluation::truth_of(job.dataset.classes(), job.dataset);
    truth.reading.assign(static_cast<size_t>(model.spec().num_classes), -1);
    return truth;
  }
}

// The model's logit for each of the set's classes; empty if the answer is explained.
std::vector<int64_t> logits_of_classes(const models::Model& model, const SaliencyJob& job,
                                       const Truth& truth) {
  if (job.logit == SaliencyJob::Logit::kAnswer) return {};
  std::vector<int64_t> logits(job.dataset.classes().size(), -1);
  for (int64_t i = 0; i < model.spec().num_classes; ++i) {
    const int32_t read = truth.read(static_cast<uint16_t>(i));
    if (read < 0) continue;
    int64_t& logit = logits[static_cast<size_t>(read)];
    if (logit >= 0 && job.logit == SaliencyJob::Logit::kLabelIfAny) return {};
    if (logit >= 0) {
      fail_input("several of the model's {} classes are the set's '{}': explain its answer instead",
                 model.spec().num_classes, job.dataset.classes()[static_cast<size_t>(read)]);
    }
    logit = i;
  }
  return logits;
}

class Drawing {
 public:
  Drawing(models::Model& model, const SaliencyJob& job, const std::vector<int64_t>& chosen)
      : model_(model),
        job_(job),
        chosen_(chosen),
        masked_(model.spec().remixer),
        truth_(truth_for(model, job)),
        logits_(logits_of_classes(model, job, truth_)),
        store_(job.dataset, masked_ ? job.labels : nullptr, model.grid(), /*memory_limit=*/0,
               evaluation::evaluation_reading(job.settings)) {
    if (masked_ && job.labels == nullptr) {
      fail_input("a ReMixer model needs patch labels of {}", job.dataset.split());
    }
    file_.eval_set = job.dataset.split();
    file_.dataset_sha256 = job.dataset.content_hash();
    file_.explained = logits_.empty() ? "answer" : "label";
    file_.side = store_.image_size();
    file_.grid = model.grid();
  }

  SaliencyFile run() {
    for (size_t first = 0; first < chosen_.size(); first += kBatch) {
      const auto now = draws(chosen_, first);
      draw(training::make_batch(store_, now), now);
      if (job_.on_progress) {
        job_.on_progress(file_.size(), static_cast<int64_t>(chosen_.size()));
      }
    }
    return std::move(file_);
  }

 private:
  void draw(const training::Batch& on_cpu, const std::vector<training::Draw>& now) {
    const auto device = model_.parameters().front().second.device();
    const at::Tensor images = on_cpu.images.to(device);
    std::optional<at::Tensor> distance;
    if (masked_) {
      distance = kernels::label_distance(on_cpu.patch_labels.to(device), job_.settings.distance);
    }
    at::Tensor answers;
    {
      const at::NoGradGuard no_grad;
      const at::Tensor logits =
          job_.settings.token_vote
              ? training::with_token_vote(model_.forward_with_tokens(images, distance, {}))
              : model_.forward(images, distance, {});
      answers = logits.argmax(1);
    }
    at::Tensor explained = answers;
    if (!logits_.empty()) {
      explained = on_cpu.classes.clone();
      int64_t* classes = explained.mutable_data_ptr<int64_t>();
      for (int64_t i = 0; i < explained.numel(); ++i) {
        classes[i] = logits_[static_cast<size_t>(classes[i])];
      }
      explained = explained.to(device);
    }
    const Relevance found = relevance(model_, images, distance, explained);
    file_.method = found.through_attention ? "chefer" : "grad_cam";
    keep(found.patches.to(at::kFloat).cpu().contiguous(), file_.maps);
    keep_images(on_cpu.images);
    if (masked_) keep_patch_labels(on_cpu.patch_labels);
    answers = answers.cpu();
    for (size_t i = 0; i < now.size(); ++i) {
      keep_answer(now[i].sample, answers[static_cast<int64_t>(i)].item<int64_t>());
    }
  }

  static void keep(const at::Tensor& tensor, std::vector<float>& values) {
    const float* data = tensor.const_data_ptr<float>();
    values.insert(values.end(), data, data + tensor.numel());
  }

  // Converts normalised images back to RGB bytes.
  void keep_images(const at::Tensor& images) {
    const at::Tensor last = images.permute({0, 2, 3, 1}).contiguous();
    const float* value = last.const_data_ptr<float>();
    for (int64_t i = 0; i < last.numel(); ++i) {
      const auto channel = static_cast<size_t>(i % 3);
      const float colour =
          value[i] * job_.settings.deviation[channel] + job_.settings.mean[channel];
      file_.images.push_back(
          static_cast<uint8_t>(std::lround(255 * std::clamp(colour, 0.0f, 1.0f))));
    }
  }

  void keep_patch_labels(const at::Tensor& labels) {
    if (labels.size(2) == 1) return keep(labels.contiguous(), file_.patch_values);
    const auto [shares, channels] = labels.max(2);
    keep(shares.contiguous(), file_.patch_values);
    const at::Tensor classes = channels.to(at::kInt).contiguous();
    const int32_t* data = classes.const_data_ptr<int32_t>();
    file_.patch_classes.insert(file_.patch_classes.end(), data, data + classes.numel());
  }

  void keep_answer(int64_t number, int64_t answer) {
    const data::Sample& sample = job_.dataset.samples()[static_cast<size_t>(number)];
    const auto& names = job_.dataset.classes();
    const int32_t read = truth_.read(static_cast<uint16_t>(answer));
    file_.samples.push_back(sample.id);
    file_.classes.push_back(names[static_cast<size_t>(sample.label)]);
    file_.answers.push_back(read < 0 ? name_of(answer) : names[static_cast<size_t>(read)]);
    file_.right.push_back(truth_.is_right(number, static_cast<uint16_t>(answer)));
  }

  // The name of an answer that is none of the set's classes.
  std::string name_of(int64_t answer) const {
    const auto& names = job_.settings.classes;
    const auto i = static_cast<size_t>(answer);
    return i < names.size() ? names[i] : fmt::format("class {}", answer);
  }

  models::Model& model_;
  const SaliencyJob& job_;
  const std::vector<int64_t>& chosen_;
  const bool masked_;
  const Truth truth_;
  const std::vector<int64_t> logits_;  // by the set's class; empty: the answer is explained
  training::SampleStore store_;
  SaliencyFile file_;
};

}  // namespace

std::vector<int64_t> choose_images(const experiments::SaliencyImages& images,
                                   const data::Dataset& dataset) {
  if (!images.names.empty()) return named_images(images.names, dataset);
  // Each image gets a hash of the seed and its name; the smallest hashes are taken.
  std::vector<std::pair<std::string, int64_t>> order;
  const std::string seed = std::to_string(images.seed);
  for (const data::Sample& sample : dataset.samples()) {
    order.emplace_back(sha256_hex(seed + "\n" + sample.id), static_cast<int64_t>(order.size()));
  }
  const auto count = std::min(order.size(), static_cast<size_t>(images.count));
  std::sort(order.begin(), order.end());
  std::vector<int64_t> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(order[i].second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

SaliencyFile draw_saliency(models::Model& model, const SaliencyJob& job,
                           const std::vector<int64_t>& chosen) {
  training::set_arithmetic("fp32", model.parameters().front().second.device());
  return Drawing(model, job, chosen).run();
}

}  // namespace remixer::explain
