// SPDX-License-Identifier: Apache-2.0
#include "experiments/outlook/outlook.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "experiments/spec/components.h"
#include "experiments/spec/task_spec.h"

namespace remixer::experiments {
namespace {

constexpr double kHour = 3600, kGigabyte = 1e9;
constexpr double kTaskSeconds = 5;  // overhead of a small task besides its images
constexpr double kBytesAWeight = 4;

class Ahead {
 public:
  Ahead(const OutlinedGrid& outlined, const std::set<std::string>& done, const Rates& rates)
      : outlined_(outlined), done_(done), rates_(rates) {
    for (const Cell& cell : outlined.grid.cells) cells_.emplace(cell.id(), &cell);
    for (const auto& [name, dataset] : outlined.file.datasets) {
      datasets_.emplace(dataset.spec, &dataset);
    }
    for (const auto& [name, labeler] : outlined.file.labelers) {
      if (labeler.spec) pinned_[*labeler.spec] = labeler.pinned;
    }
  }

  Outlook run() {
    std::set<std::string> unfinished;
    for (const Task& task : outlined_.grid.tasks) {
      const bool reused = done_.contains(task.id());
      outlook_.tasks += 1;
      outlook_.tasks_reused += reused;
      if (!reused && !task.cell_id.empty()) unfinished.insert(task.cell_id);
      add(task, reused);
    }
    outlook_.cells = static_cast<int64_t>(cells_.size());
    outlook_.cells_reused = outlook_.cells - static_cast<int64_t>(unfinished.size());
    total();
    return std::move(outlook_);
  }

 private:
  OutlookRow& row(const std::string& kind, const std::string& what) {
    for (OutlookRow& each : outlook_.rows) {
      if (each.kind == kind && each.what == what) return each;
    }
    OutlookRow& added = outlook_.rows.emplace_back();
    added.kind = kind;
    added.what = what;
    return added;
  }

  // Number of images in a split; -1 if unknown.
  int64_t images_of(const DatasetSpec& dataset, const std::string& split) const {
    const auto found = datasets_.find(dataset);
    if (found == datasets_.end()) return -1;
    const auto images = found->second->images.find(split);
    return images == found->second->images.end() ? -1 : images->second;
  }

  void add(const Task& task, bool reused) {
    if (task.kind == TaskKind::kPrepare) {
      OutlookRow& prepare = row("prepare", task.title.substr(task.title.find(' ') + 1));
      prepare.tasks += 1;
      prepare.reused += reused;
      return;
    }
    if (task.kind == TaskKind::kLabel) return add_label(task, reused);
    const Cell& cell = *cells_.at(task.cell_id);
    const std::string what = fmt::format(
        "{}{} · {}", cell.architecture,
        cell.spatial_prior == "none" ? "" : " + " + cell.spatial_prior, cell.labeler_name);
    OutlookRow& entry = row(std::string(to_string(task.kind)), what);
    entry.tasks += 1;
    entry.reused += reused;
    if (reused) return;
    if (task.kind == TaskKind::kTrain) {
      add_work(entry, trained_images(cell), rates_.training(cell));
      entry.gigabytes +=
          parameters(find_architecture(cell.architecture)) * kBytesAWeight / kGigabyte;
    } else {
      const ShownSet set = task.kind == TaskKind::kEvaluate ? evaluate_spec(task.spec).set
                                                            : saliency_spec(task.spec).set;
      const int64_t images = images_of(set.other_dataset.value_or(cell.dataset), set.split);
      add_work(entry, images, rates_.evaluation(cell));
      entry.device_hours += kTaskSeconds / kHour;
    }
  }

  int64_t trained_images(const Cell& cell) const {
    const int64_t images = images_of(cell.dataset, "train");
    if (images < 0) return -1;
    const auto held = static_cast<int64_t>(cell.recipe.hold_out * static_cast<double>(images));
    const int64_t each = epoch_images(cell.recipe, images - held);
    const int64_t batch = cell.recipe.shards * cell.recipe.shard_size;
    return each / batch * batch * cell.recipe.epochs;
  }

  void add_work(OutlookRow& entry, int64_t images, const Rate& rate) {
    entry.basis = rate.basis;
    if (images < 0 || rate.images <= 0) {
      entry.known = false;
      return;
    }
    entry.images += images;
    entry.device_hours += static_cast<double>(images) / rate.images / kHour;
  }

  void add_label(const Task& task, bool reused) {
    const LabelSpec spec = label_spec(task.spec);
    const std::string name = task.title.substr(task.title.rfind("· ") + std::string("· ").size());
    OutlookRow& entry = row("label", name);
    entry.tasks += 1;
    entry.reused += reused;
    if (reused) return;
    const int64_t images = images_of(spec.dataset, spec.split);
    const auto pinned = pinned_.find(spec.labeler);
    const auto dataset = datasets_.find(spec.dataset);
    const LabelCost cost =
        rates_.labelling(spec.labeler, pinned == pinned_.end() ? "" : pinned->second,
                         dataset == datasets_.end() ? 0 : dataset->second->image_size);
    entry.basis = cost.basis;
    if (images < 0 || cost.processor_seconds <= 0) {
      entry.known = false;
      return;
    }
    entry.images += images;
    entry.processor_hours += static_cast<double>(images) * cost.processor_seconds / kHour;
    entry.device_hours += static_cast<double>(images) * cost.device_seconds / kHour;
    entry.gigabytes += static_cast<double>(images) * rates_.bytes_a_map(spec.labeler) / kGigabyte;
  }

  void total() {
    const Machine& machine = rates_.machine();
    double worker_hours = 0;
    for (const OutlookRow& each : outlook_.rows) {
      outlook_.whole = outlook_.whole && each.known;
      outlook_.device_hours += each.device_hours;
      outlook_.processor_hours += each.processor_hours;
      // A label task reads while the GPU computes.
      const double hours = std::max(each.device_hours / static_cast<double>(machine.devices),
                                    each.processor_hours / static_cast<double>(machine.processors));
      worker_hours += hours;
      if (each.kind == "label") outlook_.label_gigabytes += each.gigabytes;
      if (each.kind != "train") continue;
      outlook_.model_gigabytes += each.gigabytes;
      const int64_t to_run = each.tasks - each.reused;
      if (to_run > 0) {
        outlook_.longest_hours =
            std::max(outlook_.longest_hours, hours / static_cast<double>(to_run));
      }
    }
    outlook_.wall_hours =
        std::max(worker_hours / static_cast<double>(machine.workers), outlook_.longest_hours);
  }

  const OutlinedGrid& outlined_;
  const std::set<std::string>& done_;
  const Rates& rates_;
  std::unordered_map<std::string, const Cell*> cells_;
  std::map<DatasetSpec, const NamedDataset*> datasets_;
  std::map<LabelerSpec, std::string> pinned_;
  Outlook outlook_;
};

}  // namespace

Outlook look_ahead(const OutlinedGrid& outlined, const std::set<std::string>& done,
                   const Rates& rates) {
  return Ahead(outlined, done, rates).run();
}

}  // namespace remixer::experiments
