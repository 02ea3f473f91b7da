#include "core/training/run.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/kernels/operators.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "core/training/mixing.h"

namespace remixer::training {
namespace {

constexpr int64_t kMetricSteps = 20;  // steps between metrics

double now() { return system_clock().monotonic(); }

// The label source that the cell calls for: none for a plain model, whatever the job brings.
const data::LabelSource* cell_labels(const TrainJob& job) {
  if (job.cell.labeler.is_null()) return nullptr;
  if (!job.labels) {
    fail_input("cell {} is trained with labeler {}, but no patch labels were given", job.cell.id(),
               job.cell.labeler_name);
  }
  return job.labels;
}

Reading training_reading(const experiments::Cell& cell, const data::Dataset& dataset) {
  const auto side = static_cast<int>(image_size_of(cell, dataset));
  return {data::augmentation_settings(cell.recipe, side), cell.recipe.strict_images};
}

}  // namespace

Run::Run(const TrainJob& job, Communicator& communicator)
    : job_(job),
      communicator_(communicator),
      recipe_(job.cell.recipe),
      seed_(static_cast<uint64_t>(job.cell.seed)),
      dataset_(open_split(job.cell, job.dataset, "train")),
      model_(models::create_model(model_spec(job.cell, dataset_), seed_)),
      store_(dataset_, cell_labels(job), model_->grid(), SampleStore::kMemoryLimit,
             training_reading(job.cell, dataset_)),
      plan_(recipe_, seed_, store_.size()),
      schedule_(recipe_, plan_.steps_per_epoch()),
      optimizer_(model_->parameters(), recipe_),
      started_(now()),
      checkpointed_(started_),
      window_started_(started_) {
  state_.cell = job.cell.id();
  if (recipe_.ema_decay > 0) average_.emplace(*model_, recipe_.ema_decay);
  resume();
  parallel_.emplace(*model_, communicator_, recipe_.shards);
}

// Rank 0 looks for the checkpoint and its word holds, so that all ranks go on from the same one.
void Run::resume() {
  std::string found;
  if (communicator_.rank() == 0) {
    std::vector<std::filesystem::path> folders = job_.resume_from;
    folders.push_back(job_.folder);
    if (const auto checkpoint = find_checkpoint(folders, state_.cell)) {
      state_ = checkpoint->state;
      found = experiments::Json{checkpoint->tensors.string(), state_.step, state_.epoch,
                                state_.loss_sum, state_.loss_count}.dump();
    }
  }
  found = communicator_.broadcast(std::move(found));
  if (found.empty()) return;
  const auto json = experiments::Json::parse(found);
  last_checkpoint_ = json.at(0);
  state_ = {state_.cell, json.at(1), json.at(2), json.at(3), json.at(4)};
  if (state_.step > plan_.total_steps()) {
    fail_input("checkpoint {} has {} steps, but the run has {}; its dataset or recipe has changed",
               last_checkpoint_, state_.step, plan_.total_steps());
  }
  read_tensors(last_checkpoint_, checkpoint_tensors());
  optimizer_.set_steps(state_.step);
  resumed_at_ = state_.step;
  if (communicator_.rank() == 0) {
    spdlog::info("going on from {} at step {} of {}", last_checkpoint_, state_.step,
                 plan_.total_steps());
  }
}

TrainOutcome Run::train() {
  const int64_t total = plan_.total_steps(), local = parallel_->shards_per_rank();
  const auto draws = [&](int64_t batch) {
    return plan_.shard(batch / local, parallel_->first_shard() + batch % local);
  };
  Loader loader(store_, draws, state_.step * local, total * local, std::max(1, job_.loader_threads));
  TrainOutcome outcome;
  outcome.resumed_at = resumed_at_;
  while (state_.step < total) {
    const double rate = schedule_.rate(state_.step);
    const double loss = take_step(loader);
    count_loss(loss);
    const Decision decision = decide(loss, rate);
    if (state_.step == total) break;
    if (decision.checkpoint) save_checkpoint();
    if (decision.stop) break;
  }
  outcome.finished = state_.step == total;
  if (outcome.finished && communicator_.rank() == 0) save_weights();
  communicator_.barrier();
  outcome.steps = state_.step;
  outcome.final_loss =
      state_.loss_count > 0 ? state_.loss_sum / static_cast<double>(state_.loss_count) : 0;
  for (const auto& [block, kappa] : kappa_by_block()) outcome.kappa.push_back(kappa);
  outcome.seconds = now() - started_;
  return outcome;
}

double Run::take_step(Loader& loader) {
  at::Tensor losses = at::zeros({recipe_.shards}, at::kDouble);
  parallel_->zero_gradients();
  for (int64_t i = 0; i < parallel_->shards_per_rank(); ++i) {
    const int64_t shard = parallel_->first_shard() + i;
    const at::Tensor loss = shard_loss(loader.next(), shard);
    losses.data_ptr<double>()[shard] = loss.item<double>();
    parallel_->backward(loss, i + 1 == parallel_->shards_per_rank());
  }
  const double loss = mean_over_shards(losses);
  if (!std::isfinite(loss)) {
    fail("the loss is {} at step {} (epoch {}) with learning rate {:g}; last good checkpoint: {}; "
         "lower learning_rate, or set clip_gradient", loss, state_.step + 1,
         state_.step / plan_.steps_per_epoch(), schedule_.rate(state_.step), last_checkpoint_);
  }
  if (recipe_.clip_gradient > 0) clip_gradients(model_->parameters(), recipe_.clip_gradient);
  optimizer_.step(schedule_.rate(state_.step), schedule_.kappa_rate(state_.step));
  if (average_) average_->update();
  return loss;
}

at::Tensor Run::shard_loss(Batch batch, int64_t shard) {
  const auto step = static_cast<uint64_t>(state_.step), number = static_cast<uint64_t>(shard);
  Random mix_random(seed_, RandomPurpose::kMix, step, number);
  const Mix mix = draw_mix(recipe_, store_.image_size(), mix_random);
  const at::Tensor targets = apply_mix(mix, batch, store_.grid(), model_->spec().num_classes,
                                       recipe_.label_smoothing);
  std::optional<at::Tensor> distance;
  if (store_.has_labels()) {
    at::NoGradGuard no_grad;
    distance = kernels::label_distance(batch.patch_labels, job_.cell.distance);
  }
  Random path_random(seed_, RandomPurpose::kDropPath, step, number);
  const models::ForwardMode mode{.training = true, .update_running_stats = shard == 0,
                                 .random = &path_random};
  return soft_cross_entropy(model_->forward(batch.images, distance, mode), targets);
}

// Each rank brings its own shards' losses and zeros, so their sum over ranks is exact, and the mean
// in shard order does not depend on who ran which.
double Run::mean_over_shards(at::Tensor losses) {
  communicator_.all_reduce_sum(losses);
  double sum = 0;
  for (int64_t i = 0; i < losses.size(0); ++i) sum += losses.data_ptr<double>()[i];
  return sum / static_cast<double>(losses.size(0));
}

void Run::count_loss(double loss) {
  if (state_.step % plan_.steps_per_epoch() == 0) {
    state_.loss_sum = 0;
    state_.loss_count = 0;
  }
  state_.epoch = state_.step / plan_.steps_per_epoch();
  ++state_.step;
  state_.loss_sum += loss;
  ++state_.loss_count;
  window_loss_ += loss;
  ++window_steps_;
}

Run::Decision Run::decide(double loss, double rate) {
  constexpr int64_t kCheckpoint = 1, kStop = 2;
  int64_t wish = 0;
  if (communicator_.rank() == 0) {
    if (now() - checkpointed_ >= job_.checkpoint_seconds) wish = kCheckpoint;
    if (job_.on_step) {
      const Progress progress{state_.step, plan_.total_steps(), collect_metrics(rate), loss};
      if (job_.on_step(progress) == Directive::kStop) wish = kStop;
    }
  }
  wish = communicator_.all_reduce_max(wish);
  return {.checkpoint = wish != 0, .stop = wish == kStop};
}

std::vector<Metric> Run::collect_metrics(double rate) {
  std::vector<Metric> metrics;
  if (state_.step % kMetricSteps != 0 && state_.step != plan_.total_steps()) return metrics;
  const double epoch = static_cast<double>(state_.step) / static_cast<double>(plan_.steps_per_epoch());
  const auto add = [&](const std::string& name, double value) {
    metrics.push_back({state_.step, epoch, name, value});
  };
  const double steps = static_cast<double>(window_steps_), time = now();
  add("loss", window_loss_ / steps);
  add("lr", rate);
  const double images = steps * static_cast<double>(recipe_.shards * recipe_.shard_size);
  add("images_per_second", images / std::max(1e-9, time - window_started_));
  for (const auto& [block, kappa] : kappa_by_block()) add(fmt::format("kappa.{}", block), kappa);
  window_loss_ = 0;
  window_steps_ = 0;
  window_started_ = time;
  return metrics;
}

void Run::save_checkpoint() {
  last_checkpoint_ = (job_.folder / checkpoint_name(state_.step)).string();
  if (communicator_.rank() == 0) write_checkpoint(job_.folder, state_, checkpoint_tensors());
  checkpointed_ = now();
}

void Run::save_weights() const {
  models::save_weights(*model_, job_.folder / "model.safetensors", {{"cell", state_.cell}});
  if (!average_) return;
  // The same file with other values.
  const auto averaged = models::create_model(model_->spec(), seed_);
  average_->copy_to(*averaged);
  models::save_weights(*averaged, job_.folder / "ema.safetensors", {{"cell", state_.cell}});
}

std::vector<std::pair<int64_t, double>> Run::kappa_by_block() const {
  std::vector<std::pair<int64_t, double>> values;
  for (const auto& [name, parameter] : model_->parameters()) {
    if (!models::is_kappa(name)) continue;
    // "blocks.<i>.remixer.kappa"
    values.emplace_back(std::stoll(name.substr(name.find('.') + 1)), parameter.item<double>());
  }
  std::sort(values.begin(), values.end());
  return values;
}

std::vector<models::Model::NamedTensor> Run::checkpoint_tensors() const {
  std::vector<models::Model::NamedTensor> tensors;
  const auto add = [&](const std::string& prefix, const auto& list) {
    for (const auto& [name, tensor] : list) tensors.emplace_back(prefix + name, tensor);
  };
  add("model.", model_->parameters());
  add("model.", model_->buffers());
  add("", optimizer_.state());
  if (average_) add("ema.", average_->tensors());
  return tensors;
}

}  // namespace remixer::training
