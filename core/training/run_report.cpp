// SPDX-License-Identifier: Apache-2.0
// What a run says of itself: in the log, and as metrics.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "core/training/run.h"
#include "experiments/spec/paper_recipe.h"

namespace remixer::training {

void Run::announce() const {
  spdlog::info("recipe: {}", experiments::recipe_text(recipe_));
  if (resumed_at_ > 0) {
    spdlog::info("going on from {} at step {} of {}", last_checkpoint_, resumed_at_,
                 plan_.total_steps());
  }
  const int64_t batch = recipe_.shards * recipe_.shard_size;
  if (recipe_.learning_rate_batch > 0) {
    spdlog::info("learning rate {:g} = {:g} · {} images a step / {}", schedule_.base_rate(),
                 recipe_.learning_rate, batch, recipe_.learning_rate_batch);
  } else {
    spdlog::info("learning rate {:g}, as the recipe says", schedule_.base_rate());
  }
  spdlog::info("{} steps of {} shards of {} images: {} epochs of {} steps; {} on {}, {} rank{}",
               plan_.total_steps(), recipe_.shards, recipe_.shard_size, recipe_.epochs,
               plan_.steps_per_epoch(), job_.cell.precision, communicator_.device().str(),
               communicator_.size(), communicator_.size() == 1 ? "" : "s");
  if (dataset_.image_size() > 0) {
    spdlog::info("decoded images {}",
                 store_.keeps_images() ? "stay in memory after the first epoch"
                                       : "do not fit into this rank's share of the memory at hand: "
                                         "each epoch decodes them anew");
  }
  if (best_) {
    spdlog::info("{} of {} training images are held out to choose the best epoch",
                 division_.held_out.size(), store_.size());
  }
}

size_t Run::count_unreadable() const {
  const std::set<int64_t> own = store_.unreadable();
  std::set<int64_t> all;
  for (const std::string& part : communicator_.all_gather(Json(own).dump())) {
    all.merge(Json::parse(part).get<std::set<int64_t>>());
  }
  return all.size();
}

std::vector<Metric> Run::collect_metrics(double rate) {
  const bool due = Metrics::due(state_.step, plan_.total_steps());
  if (due) {
    metrics_.note(state_.step, "lr", rate);
    for (const auto& [name, percent] : machine_->read()) {
      metrics_.note(state_.step, "system." + name, percent);
    }
    if (scaler_) metrics_.note(state_.step, "loss_scale", state_.scaler.scale);
    for (const auto& [block, kappa] : kappa_by_block()) {
      metrics_.note(state_.step, fmt::format("kappa.{}", block), kappa);
    }
  }
  return metrics_.take(state_.step, due);
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

}  // namespace remixer::training
