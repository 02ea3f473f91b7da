// SPDX-License-Identifier: Apache-2.0
#include "core/training/run.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "core/training/kernel_choice.h"
#include "core/training/peak_memory.h"
#include "core/training/token_labeling.h"

namespace remixer::training {
namespace {

// A loss above this many times that of guessing has exploded.
constexpr double kExploded = 50;
// Writing checkpoints takes at most this fraction of the time.
constexpr double kCheckpointShare = 0.05;

double now() {
  return system_clock().monotonic();
}

// The label source that the cell needs: none for a plain model, even if the job has one.
const data::LabelSource* cell_labels(const TrainJob& job) {
  if (!job.cell.labeler) return nullptr;
  if (!job.labels) {
    fail_input("cell {} is trained with labeler {}, but no patch labels were given", job.cell.id(),
               job.cell.labeler_name);
  }
  return job.labels;
}

Reading training_reading(const experiments::Cell& cell, const data::Dataset& dataset,
                         const Division& division) {
  const auto side = static_cast<int>(image_size_of(cell, dataset));
  Reading reading{data::augmentation_settings(cell.recipe, side), cell.recipe.strict_images, {}};
  if (!division.held_out.empty()) reading.held_out.resize(dataset.samples().size());
  for (const int64_t sample : division.held_out) {
    reading.held_out[static_cast<size_t>(sample)] = true;
  }
  return reading;
}

at::ScalarType begin_arithmetic(const experiments::Cell& cell, at::Device device) {
  set_arithmetic(cell.precision, device);
  return product_type(cell.precision, device);
}

std::unique_ptr<models::Model> make_model(const TrainJob& job, const data::Dataset& dataset,
                                          at::Device device) {
  const data::LabelSource* labels = cell_labels(job);
  const int64_t tokens = token_classes(job.cell, labels ? labels->channels() : 0,
                                       static_cast<int64_t>(dataset.classes().size()));
  auto model = models::create_model(model_spec(job.cell, dataset, tokens),
                                    static_cast<uint64_t>(job.cell.seed));
  models::move_to(*model, device);
  return model;
}

}  // namespace

Run::Run(const TrainJob& job, Communicator& communicator)
    : job_(job),
      communicator_(communicator),
      recipe_(job.cell.recipe),
      seed_(static_cast<uint64_t>(job.cell.seed)),
      dataset_(open_split(job.cell, job.dataset, "train")),
      type_(begin_arithmetic(job.cell, communicator.device())),
      model_(make_model(job, dataset_, communicator.device())),
      division_(divide(seed_, static_cast<int64_t>(dataset_.samples().size()), recipe_.hold_out)),
      store_(dataset_, cell_labels(job), model_->grid(), job.cache_bytes,
             training_reading(job.cell, dataset_, division_)),
      plan_(recipe_, seed_, static_cast<int64_t>(division_.trained.size())),
      schedule_(recipe_, plan_.steps_per_epoch()),
      objective_(job.cell, *model_, communicator.device(), type_),
      optimizer_(model_->parameters(), recipe_),
      started_(now()),
      checkpointed_(started_),
      metrics_(plan_.steps_per_epoch()) {
  reset_peak_memory();
  state_.cell = job.cell.id();
  state_.seed = job.cell.seed;
  if (recipe_.ema_decay > 0) average_.emplace(*model_, recipe_.ema_decay);
  if (!division_.held_out.empty()) best_.emplace(*model_);
  resume();
  if (type_ == at::kHalf) scaler_.emplace(state_.scaler);
  parallel_.emplace(*model_, communicator_, recipe_.shards);
  if (communicator_.rank() == 0) {
    announce();
    machine_.emplace();
  }
  choose_kernels();
  choose_graphs();
}

// Rank 0 finds the checkpoint and broadcasts it, so that all ranks resume from the same one.
void Run::resume() {
  std::string found;
  if (communicator_.rank() == 0) {
    std::vector<std::filesystem::path> folders = job_.resume_from;
    folders.push_back(job_.folder);
    if (const auto checkpoint = find_checkpoint(folders, state_.cell)) {
      found = Json{checkpoint->tensors.string(), to_json(checkpoint->state)}.dump();
    }
  }
  found = communicator_.broadcast(std::move(found));
  if (found.empty()) return;
  const auto json = Json::parse(found);
  last_checkpoint_ = json.at(0);
  state_ = run_state_from_json(json.at(1));
  if (state_.step > plan_.total_steps()) {
    fail_input("checkpoint {} has {} steps, but the run has {}; its dataset or recipe has changed",
               last_checkpoint_, state_.step, plan_.total_steps());
  }
  read_tensors(last_checkpoint_, checkpoint_tensors());
  optimizer_.set_steps(state_.updates);
  metrics_.resume(state_.unreported);
  resumed_at_ = state_.step;
}

void Run::choose_kernels() {
  // A shard number that no step uses: draws are separate, and running statistics do not change.
  const auto step = [this] {
    objective_(make_batch(store_, draws(0, parallel_->first_shard())), 0, recipe_.shards);
  };
  settle_kernels(state_.kernels, step, communicator_);
  if (state_.kernels.is_null() || communicator_.rank() != 0) return;
  std::filesystem::create_directories(job_.folder);
  write_file_atomic(job_.folder / "kernels.json", state_.kernels.dump(2) + "\n");
}

// Loss scales change from step to step, and a recording keeps its numbers: not with float16.
void Run::choose_graphs() {
  const GraphWish wish = graph_wish();
  if (wish == GraphWish::kNever || scaler_) return;
  graphs_.emplace(objective_, *parallel_, *model_, communicator_);
  const Batch batch =
      make_batch(store_, draws(0, parallel_->first_shard()), BatchForm::of(communicator_.device()));
  const Json outcome = graphs_->settle(objective_.inputs(batch, 0, parallel_->first_shard()), wish);
  if (!graphs_->used()) graphs_.reset();
  if (outcome.is_null() || communicator_.rank() != 0) return;
  std::filesystem::create_directories(job_.folder);
  write_file_atomic(job_.folder / "step_graph.json", outcome.dump(2) + "\n");
}

at::Tensor Run::run_shard(Batch batch, int64_t shard, bool last) {
  const Objective::Inputs inputs = objective_.inputs(std::move(batch), state_.step, shard);
  if (graphs_) {
    if (const auto loss = (*graphs_)(inputs, state_.step, shard)) return *loss;
  }
  const at::Tensor loss = objective_.loss(inputs, state_.step, shard);
  parallel_->backward(scaler_ ? scaler_->scale(loss) : loss, last);
  return loss.detach();
}

std::vector<Draw> Run::draws(int64_t step, int64_t shard) const {
  std::vector<Draw> draws = plan_.shard(step, shard);
  for (Draw& draw : draws) draw.sample = division_.trained[static_cast<size_t>(draw.sample)];
  return draws;
}

TrainOutcome Run::train() {
  const int64_t total = plan_.total_steps(), local = parallel_->shards_per_rank();
  Loader loader(
      store_,
      [&](int64_t batch) { return draws(batch / local, parallel_->first_shard() + batch % local); },
      state_.step * local, total * local, std::max(1, job_.loader_threads),
      BatchForm::of(communicator_.device()));
  DeviceQueue batches(loader, communicator_.device(), (total - state_.step) * local);
  // At step 0 in every attempt: the curve of an undisturbed run has one such point.
  if (communicator_.rank() == 0) metrics_.note(0, "base_lr", schedule_.base_rate());
  TrainOutcome outcome;
  outcome.resumed_at = resumed_at_;
  while (state_.step < total) {
    const double rate = schedule_.rate(state_.step), begun = now();
    const double loss = take_step(batches);
    // What a rehearsal measures; the first steps are slower than all others.
    if (state_.step + 1 == total && communicator_.rank() == 0) {
      metrics_.note(total, "system.step_ms", 1000 * (now() - begun));
      metrics_.note(total, "system.process_gib", peak_memory_gib());
    }
    count_loss(loss);
    if (best_ && state_.step % plan_.steps_per_epoch() == 0) measure_held_out();
    const Decision decision = decide(loss, rate);
    if (state_.step == total) break;
    if (decision.checkpoint) save_checkpoint();
    if (decision.stop) break;
  }
  outcome.finished = state_.step == total;
  if (outcome.finished) check_weights();
  if (outcome.finished && communicator_.rank() == 0) save_weights();
  communicator_.barrier();
  outcome.steps = state_.step;
  outcome.final_loss =
      state_.loss_count > 0 ? state_.loss_sum / static_cast<double>(state_.loss_count) : 0;
  for (const auto& [block, kappa] : kappa_by_block()) outcome.kappa.push_back(kappa);
  if (best_ && state_.best_epoch >= 0) outcome.best = {state_.best_epoch, state_.best_top1};
  outcome.seconds = now() - started_;
  return outcome;
}

// The host runs ahead of the GPU and waits once per step, when reading the losses: by then the
// whole step is queued and the next batch is being copied.
double Run::take_step(DeviceQueue& batches) {
  at::Tensor losses =
      at::zeros({recipe_.shards}, at::TensorOptions(at::kDouble).device(communicator_.device()));
  parallel_->zero_gradients();
  for (int64_t i = 0; i < parallel_->shards_per_rank(); ++i) {
    const int64_t shard = parallel_->first_shard() + i;
    const bool last = i + 1 == parallel_->shards_per_rank();
    double asked = now();
    Batch batch = batches.next();
    metrics_.wait(now() - asked);
    losses[shard].copy_(run_shard(std::move(batch), shard, last));
    if (last) update_weights();
    asked = now();
    batches.prefetch();
    metrics_.wait(now() - asked);
  }
  const double loss = mean_over_shards(losses.cpu());
  check_loss(loss);
  return loss;
}

void Run::update_weights() {
  bool finite = true;
  if (scaler_) {
    finite = scaler_->unscale(gradients_of(model_->parameters()));
    state_.scaler = scaler_->state();
    if (!finite && state_.scaler.scale < 1)
      stop_spoilt("gradients overflow float16 at every loss scale");
  }
  if (finite) {
    if (recipe_.clip_gradient > 0) {
      if (communicator_.device().is_cpu()) {
        clip_gradients(model_->parameters(), recipe_.clip_gradient);
      } else {
        clip_gradients_there(gradients_of(model_->parameters()), recipe_.clip_gradient);
      }
    }
    optimizer_.step(schedule_.rate(state_.step), schedule_.kappa_rate(state_.step));
    state_.updates = optimizer_.steps();
  }
  if (average_) average_->update();
}

// Each rank fills in its own shards' losses and zeros elsewhere, so the sum over ranks is exact,
// and the mean in shard order does not depend on which rank ran which shard.
double Run::mean_over_shards(at::Tensor losses) {
  communicator_.all_reduce_sum(losses);
  double sum = 0;
  for (int64_t i = 0; i < losses.size(0); ++i) sum += losses.data_ptr<double>()[i];
  return sum / static_cast<double>(losses.size(0));
}

void Run::stop_spoilt(const std::string& what) const {
  fail(
      "{} at step {} (epoch {}) with learning rate {:g}; last good checkpoint: {}; lower "
      "learning_rate, or set clip_gradient",
      what, state_.step + 1, state_.step / plan_.steps_per_epoch(), schedule_.rate(state_.step),
      last_checkpoint_);
}

void Run::check_loss(double loss) const {
  if (!std::isfinite(loss)) stop_spoilt(fmt::format("the loss is {}", loss));
  const double guess = objective_.guessing_loss();
  if (loss > kExploded * guess) {
    stop_spoilt(fmt::format("the loss has exploded to {:g}, {:.0f} times that of guessing,", loss,
                            loss / guess));
  }
}

// Ranks hold equal weights, so they agree.
void Run::check_weights() const {
  for (const auto& [name, parameter] : model_->parameters()) {
    if (!at::isfinite(parameter).all().item<bool>()) {
      stop_spoilt(fmt::format("parameter {} is not finite any more", name));
    }
  }
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
  metrics_.count(loss, recipe_.shards * recipe_.shard_size);
}

void Run::measure_held_out() {
  // Evaluation is float32, whatever the cell trains with.
  set_arithmetic("fp32", communicator_.device());
  const HeldOut measured =
      measure(job_.cell, *model_, store_, division_.held_out, communicator_, job_.loader_threads);
  set_arithmetic(job_.cell.precision, communicator_.device());
  const bool better = state_.best_epoch < 0 || measured.top1 > state_.best_top1 ||
                      (measured.top1 == state_.best_top1 && measured.loss < state_.best_loss);
  if (better) {
    best_->take();
    state_.best_epoch = state_.epoch;
    state_.best_top1 = measured.top1;
    state_.best_loss = measured.loss;
  }
  if (communicator_.rank() != 0) return;
  metrics_.note(state_.step, "hold_out.top1", measured.top1);
  metrics_.note(state_.step, "hold_out.loss", measured.loss);
  spdlog::info("epoch {}: {:.2f} % of the held-out images{}", state_.epoch, measured.top1,
               better ? ", the best so far" : "");
}

Run::Decision Run::decide(double loss, double rate) {
  constexpr int64_t kCheckpoint = 1, kStop = 2;
  int64_t wish = 0;
  if (Metrics::due(state_.step, plan_.total_steps())) {
    const size_t unreadable = count_unreadable();
    if (unreadable > 0 && communicator_.rank() == 0) {
      metrics_.note(state_.step, "unreadable_images", static_cast<double>(unreadable));
    }
  }
  if (communicator_.rank() == 0) {
    const double wait =
        job_.checkpoint_seconds == 0
            ? 0
            : std::max(job_.checkpoint_seconds, checkpoint_cost_ / kCheckpointShare);
    if (now() - checkpointed_ >= wait) wish = kCheckpoint;
    if (job_.on_step) {
      const Progress progress{state_.step, plan_.total_steps(), collect_metrics(rate), loss};
      if (job_.on_step(progress) == Directive::kStop) wish = kStop;
    }
  }
  wish = communicator_.all_reduce_max(wish);
  return {.checkpoint = wish != 0, .stop = wish == kStop};
}

void Run::save_checkpoint() {
  const double start = now();
  check_weights();
  last_checkpoint_ = (job_.folder / checkpoint_name(state_.step)).string();
  state_.unreported = metrics_.losses();
  if (communicator_.rank() == 0) write_checkpoint(job_.folder, state_, checkpoint_tensors());
  checkpointed_ = now();
  checkpoint_cost_ = checkpointed_ - start;
}

void Run::save_weights() const {
  auto metadata = models::metadata_of(evaluation_settings(job_.cell, dataset_));
  metadata["cell"] = state_.cell;
  models::save_weights(*model_, job_.folder / "model.safetensors", metadata);
  if (average_) average_->weights().save(job_.folder / "ema.safetensors", metadata);
  if (best_) best_->save(job_.folder / "best.safetensors", metadata);
}

std::vector<models::Model::NamedTensor> Run::checkpoint_tensors() const {
  std::vector<models::Model::NamedTensor> tensors;
  const auto add = [&](const std::string& prefix, const auto& list) {
    for (const auto& [name, tensor] : list) tensors.emplace_back(prefix + name, tensor);
  };
  add("model.", model_->parameters());
  add("model.", model_->buffers());
  add("", optimizer_.state());
  if (average_) add("ema.", average_->weights().tensors());
  if (best_) add("best.", best_->tensors());
  return tensors;
}

}  // namespace remixer::training
