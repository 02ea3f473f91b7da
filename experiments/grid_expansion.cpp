#include "experiments/grid_expansion.h"

#include <algorithm>
#include <map>
#include <set>

#include "experiments/components.h"
#include "experiments/names.h"

namespace remixer::experiments {
namespace {

class Expansion {
 public:
  explicit Expansion(const GridFile& file) : file_(file) {
    grid_.name = file.name;
    grid_.description = file.description;
    grid_.text = file.text;
  }
  Grid run() {
    for (const CellsBlock& block : file_.cells) add_block(block);
    check_filters();
    return std::move(grid_);
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
  std::vector<std::string> sets_of(const Cell& cell, int line) const;
  void check_filters() const;

  void add_tasks(const Cell& cell, const std::string& cell_id,
                 const std::vector<std::string>& sets);
  // Adds the task unless an earlier cell needed it too; returns its id.
  std::string add_task(Task task);
  std::string label_task(const Cell& cell, const std::string& split, const std::string& prepare);

  const GridFile& file_;
  Grid grid_;
  std::map<std::string, int> line_of_cell_;  // by cell id
  std::set<std::string> task_ids_;
};

// "deit_nano_patch4_32 + convit · saliency · seed 0"
std::string title_of(const Cell& cell) {
  return fmt::format("{}{} · {} · {}seed {}", cell.architecture,
                     cell.spatial_prior == "none" ? "" : " + " + cell.spatial_prior,
                     cell.labeler_name, cell.precision == "fp32" ? "" : cell.precision + " · ",
                     cell.seed);
}

// Seeds change fastest and architectures slowest, so that a table's row is finished before the next
// one is begun.
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
  // One model, one cell: this name says the same as DeiT-S with the prior.
  if (cell.architecture == "deit_small_convit") {
    cell.architecture = "deit_small_patch16_224";
    cell.spatial_prior = "convit";
    architecture = &find_architecture(cell.architecture);
  }
  cell.architecture_version = architecture->version;
  const NamedLabeler& labeler = file_.labelers.at(choice.labeler);
  cell.labeler = labeler.entry;
  cell.distance = labeler.distance;
  cell.dataset = file_.datasets.at(choice.dataset);
  cell.recipe = file_.recipes.at(choice.recipe);
  cell.seed = choice.seed;
  cell.precision = choice.precision;
  cell.labeler_name = choice.labeler;
  cell.dataset_name = choice.dataset;
  cell.recipe_name = choice.recipe;

  const int64_t size =
      find_dataset_builder(cell.dataset.at("builder").get<std::string>()).image_size;
  if (size % architecture->patch != 0) {
    file_.fail_at(choice.architecture.line,
                  "'{}' cuts patches of {} pixels, which do not divide the {} of "
                  "dataset '{}'",
                  cell.architecture, architecture->patch, size, choice.dataset);
  }
  check_labels(cell, choice.block.line);
  return cell;
}

// Labels must be good for what the recipe wants of them.
void Expansion::check_labels(const Cell& cell, int line) const {
  const bool token_labeling = cell.recipe.token_labeling != "none";
  if (cell.labeler.is_null()) {
    if (!token_labeling) return;
    file_.fail_at(line, "recipe '{}' has token_labeling, whose targets are patch labels: give the cells a "
                  "labeler of classes (for a plain model one with distance = \"none\")", cell.recipe_name);
  }
  if (!token_labeling && !cell.is_remixer()) {
    file_.fail_at(line, "labeler '{}' has distance \"none\", but recipe '{}' has no token_labeling: its "
                  "labels would be used for nothing", cell.labeler_name, cell.recipe_name);
  }
  const std::string kind = cell.labeler.at("name");
  if (token_labeling && find_labeler(kind).distance != "cosine") {
    file_.fail_at(line, "recipe '{}' has token_labeling, but labeler '{}' does not say classes; use relabel",
                  cell.recipe_name, cell.labeler_name);
  }
}

void Expansion::add_cell(const Choice& choice) {
  Cell cell = resolve(choice);
  const std::string id = cell.id();
  const auto [earlier, is_new] = line_of_cell_.emplace(id, choice.block.line);
  if (!is_new) {
    file_.fail_at(choice.block.line,
                  "the cell {} is there already, by the [[cells]] block of line {}", title_of(cell),
                  earlier->second);
  }
  add_tasks(cell, id, sets_of(cell, choice.block.line));
  grid_.cells.push_back(std::move(cell));
}

std::vector<std::string> Expansion::sets_of(const Cell& cell, int line) const {
  const auto& known =
      find_dataset_builder(cell.dataset.at("builder").get<std::string>()).evaluation_sets;
  std::vector<std::string> sets;
  for (const EvaluationEntry& entry : file_.evaluations) {
    const auto wanted = [&](const auto& labeler) { return labeler.value == cell.labeler_name; };
    if (entry.labelers && std::none_of(entry.labelers->begin(), entry.labelers->end(), wanted))
      continue;
    for (const auto& set : entry.sets) {
      if (std::find(known.begin(), known.end(), set.value) == known.end()) {
        file_.fail_at(set.line, "dataset '{}': {}", cell.dataset_name,
                      unknown_name("evaluation set", set.value, known));
      }
      if (std::find(sets.begin(), sets.end(), set.value) == sets.end()) sets.push_back(set.value);
    }
  }
  if (sets.empty()) {
    file_.fail_at(
        line, "nothing evaluates the cells with labeler '{}': add it to an [[evaluation]] entry",
        cell.labeler_name);
  }
  return sets;
}

// A filter that no cell passes is a slip of the pen.
void Expansion::check_filters() const {
  std::set<std::string> used;
  for (const Cell& cell : grid_.cells) used.insert(cell.labeler_name);
  for (const EvaluationEntry& entry : file_.evaluations) {
    if (!entry.labelers) continue;
    for (const auto& labeler : *entry.labelers) {
      if (!used.contains(labeler.value)) {
        file_.fail_at(labeler.line, "no cell has the labeler '{}'", labeler.value);
      }
    }
  }
}

std::string Expansion::add_task(Task task) {
  std::string id = task.id();
  if (task_ids_.insert(id).second) grid_.tasks.push_back(std::move(task));
  return id;
}

std::string Expansion::label_task(const Cell& cell, const std::string& split,
                                  const std::string& prepare) {
  Task task;
  task.kind = TaskKind::kLabel;
  task.spec = {
      {"kind", "label"}, {"dataset", cell.dataset}, {"split", split}, {"labeler", cell.labeler}};
  task.dependencies = {prepare};
  task.title = fmt::format("label {} · {} · {}", cell.dataset_name, split, cell.labeler_name);
  return add_task(std::move(task));
}

void Expansion::add_tasks(const Cell& cell, const std::string& cell_id,
                          const std::vector<std::string>& sets) {
  const Json identity = cell.identity();
  // Evaluation needs no labels where they are but targets.
  const bool trains_on_labels = !cell.labeler.is_null(), labelled = cell.is_remixer();
  Task prepare;
  prepare.kind = TaskKind::kPrepare;
  prepare.spec = {{"kind", "prepare"}, {"dataset", cell.dataset}};
  prepare.title = "prepare " + cell.dataset_name;
  const std::string prepare_id = add_task(std::move(prepare));

  Task train;
  train.kind = TaskKind::kTrain;
  train.spec = {{"kind", "train"}, {"cell", identity}};
  train.dependencies = {prepare_id};
  if (trains_on_labels) train.dependencies.push_back(label_task(cell, "train", prepare_id));
  std::map<std::string, std::string> set_labels;
  for (const std::string& set : sets) {
    if (labelled) set_labels[set] = label_task(cell, set, prepare_id);
  }
  train.cell_id = cell_id;
  train.title = "train " + title_of(cell);
  const std::string train_id = add_task(std::move(train));

  for (const std::string& set : sets) {
    Task evaluate;
    evaluate.kind = TaskKind::kEvaluate;
    evaluate.spec = {{"kind", "evaluate"},
                     {"cell", identity},
                     {"eval_set", set},
                     {"version", kEvaluationVersion}};
    evaluate.dependencies = {prepare_id, train_id};
    if (labelled) evaluate.dependencies.push_back(set_labels.at(set));
    evaluate.cell_id = cell_id;
    evaluate.title = fmt::format("evaluate {} · {}", set, title_of(cell));
    add_task(std::move(evaluate));
  }
}

}  // namespace

Grid expand_grid(const GridFile& file) {
  return Expansion(file).run();
}

}  // namespace remixer::experiments
