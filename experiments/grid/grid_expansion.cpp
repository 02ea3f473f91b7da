// SPDX-License-Identifier: Apache-2.0
#include "experiments/grid/grid_expansion.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/nearest_name.h"
#include "experiments/spec/components.h"
#include "experiments/spec/task_spec.h"

namespace remixer::experiments {
namespace {

class Expansion {
 public:
  Expansion(const GridFile& file, GridSink& sink) : file_(file), sink_(sink) {}
  void run() {
    for (const CellsBlock& block : file_.cells) add_block(block);
    check_filters();
  }

 private:
  // One combination of a block's axes.
  struct Choice {
    const CellsBlock& block;
    const Located<std::string>& architecture;
    const Located<std::string>& spatial_prior;
    std::string labeler, dataset, recipe, precision;
    int64_t seed;
  };

  void add_block(const CellsBlock& block);
  void add_cell(const Choice& choice);
  Cell resolve(const Choice& choice) const;
  void check_labels(const Cell& cell, int line) const;
  void check_steps(const Cell& cell, const NamedDataset& dataset, int line) const;
  // What a cell is evaluated on: a set of its own dataset, or of another one.
  struct EvaluationSet {
    ShownSet set;
    std::string dataset_name;
    std::string transform = kWholeTransform;
    // Identifies a set among a cell's sets.
    std::string key() const {
      return transform == kWholeTransform ? set.name : set.name + kReleasedSuffix;
    }
  };
  std::vector<EvaluationSet> sets_of(const Cell& cell, int line) const;
  EvaluationSet find_set(const Cell& cell, const Located<std::string>& name) const;
  void check_filters() const;

  void add_tasks(const Cell& cell, const Json& identity, const std::string& cell_id,
                 const std::vector<EvaluationSet>& sets,
                 const std::optional<EvaluationSet>& saliency_set);
  std::vector<std::string> needs_of(const Cell& cell, const EvaluationSet& set);
  Task task_on_set(TaskKind kind, const Cell& cell, const std::string& cell_id,
                   const EvaluationSet& set, const std::vector<std::string>& needs,
                   const std::string& train_id) const;
  std::string prepare_task(const DatasetSpec& dataset, const std::string& name);
  // Adds the task unless an earlier cell added it; returns its id.
  std::string add_task(Task task);
  std::string label_task(const Cell& cell, const DatasetSpec& dataset,
                         const std::string& dataset_name, const std::string& split,
                         const std::string& prepare);

  const GridFile& file_;
  GridSink& sink_;
  std::unordered_map<std::string, int> line_of_cell_;  // by cell id
  std::unordered_set<std::string> task_ids_;
  std::set<std::string> labelers_;  // labelers that cells use
};

// "deit_nano_patch4_32 + convit · saliency · seed 0"
std::string title_of(const Cell& cell) {
  return fmt::format("{}{} · {} · {}seed {}", cell.architecture,
                     cell.spatial_prior == "none" ? "" : " + " + cell.spatial_prior,
                     cell.labeler_name, cell.precision == "fp32" ? "" : cell.precision + " · ",
                     cell.seed);
}

// Seeds vary fastest and architectures slowest, so that one row of a table is finished before the
// next begins.
void Expansion::add_block(const CellsBlock& block) {
  for (const auto& architecture : block.architectures)
    for (const auto& prior : block.spatial_priors)
      for (const auto& labeler : block.labelers)
        for (const auto& dataset : block.datasets)
          for (const auto& recipe : block.recipes)
            for (const auto& precision : block.precisions)
              for (const auto& seed : block.seeds)
                add_cell({block, architecture, prior, labeler.value, dataset.value, recipe.value,
                          precision.value, seed.value});
}

Cell Expansion::resolve(const Choice& choice) const {
  Cell cell;
  cell.architecture = choice.architecture.value;
  cell.spatial_prior = choice.spatial_prior.value;
  const Architecture* architecture = &find_architecture(cell.architecture);
  if (cell.spatial_prior == "convit" && !architecture->takes_convit()) {
    file_.fail_at(
        choice.spatial_prior.line,
        "spatial_prior 'convit' goes with DeiT only, not with '{}'; give the DeiT a [[cells]] "
        "block of its own",
        cell.architecture);
  }
  // This name means the same as DeiT-S with the prior; both must give the same cell.
  if (cell.architecture == "deit_small_convit") {
    cell.architecture = "deit_small_patch16_224";
    cell.spatial_prior = "convit";
    architecture = &find_architecture(cell.architecture);
  }
  cell.architecture_version = architecture->version;
  const NamedLabeler& labeler = file_.labelers.at(choice.labeler);
  cell.labeler = labeler.spec;
  cell.distance = labeler.distance;
  const NamedDataset& dataset = file_.datasets.at(choice.dataset);
  cell.dataset = dataset.spec;
  cell.recipe = file_.recipes.at(choice.recipe);
  cell.seed = choice.seed;
  cell.precision = choice.precision;
  cell.labeler_name = choice.labeler;
  cell.dataset_name = choice.dataset;
  cell.recipe_name = choice.recipe;

  if (!dataset.trains) {
    file_.fail_at(choice.block.line,
                  "dataset '{}' has no split \"train\"; name it in an [[evaluation]] entry instead",
                  choice.dataset);
  }
  // If the images vary in size, they are cropped to the architecture's size.
  const int64_t size = cell.recipe.image_size > 0 ? cell.recipe.image_size
                       : dataset.image_size > 0   ? dataset.image_size
                                                  : architecture->image_size;
  if (size % architecture->patch != 0) {
    file_.fail_at(choice.architecture.line,
                  "'{}' cuts patches of {} pixels, which do not divide the {} of "
                  "{} '{}'",
                  cell.architecture, architecture->patch, size,
                  cell.recipe.image_size > 0 ? "recipe" : "dataset",
                  cell.recipe.image_size > 0 ? choice.recipe : choice.dataset);
  }
  check_labels(cell, choice.block.line);
  check_steps(cell, dataset, choice.block.line);
  return cell;
}

// The split must have images left to train on, and enough of them for one step.
void Expansion::check_steps(const Cell& cell, const NamedDataset& dataset, int line) const {
  const auto images = dataset.images.find("train");
  if (images == dataset.images.end()) return;
  const int64_t count = images->second;
  const auto held = static_cast<int64_t>(cell.recipe.hold_out * static_cast<double>(count));
  if (cell.recipe.hold_out > 0 && (held == 0 || held == count)) {
    file_.fail_at(line,
                  "recipe '{}' holds out {:g} of the {} training images of '{}', which leaves none "
                  "to {}; choose another hold_out",
                  cell.recipe_name, cell.recipe.hold_out, count, cell.dataset_name,
                  held == 0 ? "measure" : "train on");
  }
  const int64_t batch = cell.recipe.shards * cell.recipe.shard_size;
  if (batch > count - held) {
    file_.fail_at(
        line,
        "a step of recipe '{}' takes {} images ({} shards of {}), but '{}' has {} to train "
        "on; lower shard_size",
        cell.recipe_name, batch, cell.recipe.shards, cell.recipe.shard_size, cell.dataset_name,
        count - held);
  }
}

// The labels must suit the recipe.
void Expansion::check_labels(const Cell& cell, int line) const {
  const bool token_labeling = cell.recipe.token_labeling != "none";
  if (!cell.labeler) {
    if (!token_labeling) return;
    file_.fail_at(
        line,
        "recipe '{}' has token_labeling, whose targets are patch labels: give the cells a "
        "labeler of classes (for a plain model one with distance = \"none\")",
        cell.recipe_name);
  }
  if (!token_labeling && !cell.is_remixer()) {
    file_.fail_at(line,
                  "labeler '{}' has distance \"none\", but recipe '{}' has no token_labeling: its "
                  "labels would be used for nothing",
                  cell.labeler_name, cell.recipe_name);
  }
  if (token_labeling && find_labeler(cell.labeler->name).distance != "cosine") {
    file_.fail_at(
        line, "recipe '{}' has token_labeling, but labeler '{}' does not say classes; use relabel",
        cell.recipe_name, cell.labeler_name);
  }
}

void Expansion::add_cell(const Choice& choice) {
  const Cell cell = resolve(choice);
  const Json identity = cell.identity();
  const std::string id = content_id(identity);
  const auto [earlier, is_new] = line_of_cell_.emplace(id, choice.block.line);
  if (!is_new) {
    file_.fail_at(choice.block.line,
                  "the cell {} is there already, by the [[cells]] block of line {}", title_of(cell),
                  earlier->second);
  }
  std::optional<EvaluationSet> saliency_set;
  if (file_.saliency) saliency_set = find_set(cell, file_.saliency->set);
  const std::vector<EvaluationSet> sets = sets_of(cell, choice.block.line);
  sink_.take(cell, identity, id);
  labelers_.insert(cell.labeler_name);
  add_tasks(cell, identity, id, sets, saliency_set);
}

// The cell's own dataset takes precedence: other datasets may have sets of the same name.
Expansion::EvaluationSet Expansion::find_set(const Cell& cell,
                                             const Located<std::string>& set) const {
  const std::vector<std::string>& own = file_.datasets.at(cell.dataset_name).evaluation_sets;
  if (std::find(own.begin(), own.end(), set.value) != own.end()) {
    return {{set.value, set.value}, cell.dataset_name};
  }
  const SetName parts(set.value);
  const std::string& name = parts.first;
  const auto other = file_.datasets.find(name);
  if (other == file_.datasets.end()) {
    std::vector<std::string> known = own;
    for (const auto& [each, dataset] : file_.datasets) {
      if (each != cell.dataset_name) known.push_back(each);
    }
    file_.fail_at(set.line, "dataset '{}': {}", cell.dataset_name,
                  unknown_name("evaluation set", set.value, known));
  }
  const std::vector<std::string>& splits = other->second.evaluation_sets;
  if (!parts.split && splits.size() != 1) {
    std::vector<std::string> choices;
    for (const std::string& split : splits) choices.push_back(fmt::format("'{}/{}'", name, split));
    file_.fail_at(set.line, "dataset '{}' has {} evaluation sets{}{}", name, splits.size(),
                  splits.empty() ? "" : ": name one of ", fmt::join(choices, ", "));
  }
  const std::string split = parts.split ? *parts.split : splits[0];
  if (other->second.spec == cell.dataset) return {{split, split}, cell.dataset_name};
  return {{set.value, split, other->second.spec}, name};
}

std::vector<Expansion::EvaluationSet> Expansion::sets_of(const Cell& cell, int line) const {
  std::vector<EvaluationSet> sets;
  for (const EvaluationEntry& entry : file_.evaluations) {
    const auto wanted = [&](const auto& labeler) { return labeler.value == cell.labeler_name; };
    if (entry.labelers && std::none_of(entry.labelers->begin(), entry.labelers->end(), wanted))
      continue;
    for (const auto& named : entry.sets) {
      EvaluationSet set = find_set(cell, named);
      set.transform = entry.transform;
      const bool known = std::any_of(sets.begin(), sets.end(),
                                     [&](const auto& other) { return other.key() == set.key(); });
      if (!known) sets.push_back(std::move(set));
    }
  }
  if (sets.empty()) {
    file_.fail_at(
        line, "nothing evaluates the cells with labeler '{}': add it to an [[evaluation]] entry",
        cell.labeler_name);
  }
  return sets;
}

// A filter that matches no cell is a mistake.
void Expansion::check_filters() const {
  for (const EvaluationEntry& entry : file_.evaluations) {
    if (!entry.labelers) continue;
    for (const auto& labeler : *entry.labelers) {
      if (!labelers_.contains(labeler.value)) {
        file_.fail_at(labeler.line, "no cell has the labeler '{}'", labeler.value);
      }
    }
  }
}

std::string Expansion::add_task(Task task) {
  std::string id = task.id();
  if (task_ids_.insert(id).second) sink_.take(std::move(task), id);
  return id;
}

std::string Expansion::prepare_task(const DatasetSpec& dataset, const std::string& name) {
  Task task;
  task.kind = TaskKind::kPrepare;
  task.spec = spec_json(PrepareSpec{dataset});
  task.title = "prepare " + name;
  return add_task(std::move(task));
}

std::string Expansion::label_task(const Cell& cell, const DatasetSpec& dataset,
                                  const std::string& dataset_name, const std::string& split,
                                  const std::string& prepare) {
  Task task;
  task.kind = TaskKind::kLabel;
  task.spec = spec_json(LabelSpec{dataset, split, *cell.labeler});
  task.dependencies = {prepare};
  task.title = fmt::format("label {} · {} · {}", dataset_name, split, cell.labeler_name);
  return add_task(std::move(task));
}

void Expansion::add_tasks(const Cell& cell, const Json& identity, const std::string& cell_id,
                          const std::vector<EvaluationSet>& sets,
                          const std::optional<EvaluationSet>& saliency_set) {
  const std::string prepare_id = prepare_task(cell.dataset, cell.dataset_name);

  Task train;
  train.kind = TaskKind::kTrain;
  train.spec = train_spec(identity);
  train.dependencies = {prepare_id};
  if (cell.labeler) {
    train.dependencies.push_back(
        label_task(cell, cell.dataset, cell.dataset_name, "train", prepare_id));
  }
  // What each set requires besides the trained model.
  std::vector<std::vector<std::string>> needs;
  for (const EvaluationSet& set : sets) needs.push_back(needs_of(cell, set));
  std::vector<std::string> saliency_needs;
  if (saliency_set) saliency_needs = needs_of(cell, *saliency_set);
  train.cell_id = cell_id;
  train.title = "train " + title_of(cell);
  const std::string train_id = add_task(std::move(train));

  for (size_t i = 0; i < sets.size(); ++i) {
    const EvaluationSet& set = sets[i];
    Task task = task_on_set(TaskKind::kEvaluate, cell, cell_id, set, needs[i], train_id);
    task.spec = spec_json(EvaluateSpec{set.set, set.transform}, identity);
    add_task(std::move(task));
  }
  if (!saliency_set) return;
  Task task =
      task_on_set(TaskKind::kSaliency, cell, cell_id, *saliency_set, saliency_needs, train_id);
  task.spec = spec_json(SaliencySpec{saliency_set->set, file_.saliency->images}, identity);
  add_task(std::move(task));
}

// Dependencies of a task on the set besides training, created if missing: preparing the set and, if
// the model uses labels, labelling it.
std::vector<std::string> Expansion::needs_of(const Cell& cell, const EvaluationSet& set) {
  const DatasetSpec& dataset = set.set.other_dataset ? *set.set.other_dataset : cell.dataset;
  std::vector<std::string> needs{prepare_task(dataset, set.dataset_name)};
  if (cell.is_remixer()) {
    needs.push_back(label_task(cell, dataset, set.dataset_name, set.set.split, needs.front()));
  }
  return needs;
}

// A task of a trained cell on a set, complete except for its spec.
Task Expansion::task_on_set(TaskKind kind, const Cell& cell, const std::string& cell_id,
                            const EvaluationSet& set, const std::vector<std::string>& needs,
                            const std::string& train_id) const {
  Task task;
  task.kind = kind;
  task.dependencies = needs;
  task.dependencies.insert(task.dependencies.begin() + 1, train_id);
  task.cell_id = cell_id;
  task.title = fmt::format("{} {} · {}", to_string(kind), set.key(), title_of(cell));
  return task;
}

// Collects everything in memory.
class WholeGrid : public GridSink {
 public:
  void take(const Cell& cell, const Json&, const std::string&) override {
    grid.cells.push_back(cell);
  }
  void take(Task task, const std::string&) override { grid.tasks.push_back(std::move(task)); }
  Grid grid;
};

}  // namespace

void expand_grid(const GridFile& file, GridSink& sink) {
  Expansion(file, sink).run();
}

Grid expand_grid(const GridFile& file) {
  WholeGrid whole;
  whole.grid.name = file.name;
  whole.grid.description = file.description;
  whole.grid.text = file.text;
  expand_grid(file, whole);
  return std::move(whole.grid);
}

}  // namespace remixer::experiments
