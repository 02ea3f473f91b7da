// SPDX-License-Identifier: Apache-2.0
#include "experiments/grid/grid_reader.h"

#include "base/nearest_name.h"
#include "experiments/grid/input_sections.h"
#include "experiments/grid/toml_reader.h"
#include "experiments/spec/components.h"
#include "experiments/spec/paper_recipe.h"

namespace remixer::experiments {
namespace {

// The recipe that exists without a section; also the preset that a section may start from.
constexpr const char* kPaperRecipe = "paper";

class GridReader : private TomlReader {
 public:
  // `workspace` must outlive it.
  GridReader(const std::string& text, const std::string& file,
             const std::filesystem::path& workspace)
      : TomlReader(grid_), inputs_(grid_, root_, workspace) {
    grid_.file = file;
    grid_.text = text;
  }
  GridFile read();

 private:
  void read_top(const toml::table& root);
  void read_recipe(const Entry& entry);
  void read_cells(const toml::table& block);
  void read_saliency(const toml::node& node);
  SaliencyImages saliency_images(const toml::table& table, int line) const;
  void read_evaluation(const toml::table& entry);
  // Values allowed in [[evaluation]]: the datasets' own sets, and other datasets as a whole.
  Names evaluation_sets() const;
  template <typename T>
  static Names keys(const std::map<std::string, T>& map);

  GridFile grid_;
  toml::table root_;
  InputSections inputs_;
};

template <typename T>
Names GridReader::keys(const std::map<std::string, T>& map) {
  Names names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

Names GridReader::evaluation_sets() const {
  Names sets;
  for (const DatasetBuilder& builder : dataset_builders()) {
    sets.insert(sets.end(), builder.evaluation_sets.begin(), builder.evaluation_sets.end());
  }
  for (const auto& [name, dataset] : grid_.datasets) {
    sets.push_back(name);
    for (const std::string& set : dataset.evaluation_sets) {
      sets.push_back(set);
      sets.push_back(name + "/" + set);
    }
  }
  return sets;
}

void GridReader::read_top(const toml::table& root) {
  check_keys(
      root, "",
      {"name", "description", "dataset", "labeler", "recipe", "cells", "evaluation", "saliency"});
  const toml::node* name = root.get("name");
  if (!name) grid_.fail_at(1, "the grid has no name: begin with name = \"...\"");
  grid_.name = as_string(*name, "name");
  if (!is_plain_name(grid_.name)) {
    grid_.fail_at(line_of(*name), "name '{}' may hold letters, digits, '_', '-' and '.' only",
                  grid_.name);
  }
  if (const toml::node* description = root.get("description")) {
    grid_.description = as_string(*description, "description");
  }
}

void GridReader::read_recipe(const Entry& entry) {
  const std::string where = "recipe." + entry.key;
  const toml::table& table = as_table(entry, where);
  Names known = recipe_field_names();
  known.insert(known.begin(), "preset");
  check_keys(table, where, known);
  Recipe recipe;
  // Apply the preset first, wherever it appears: the other keys modify it.
  if (const toml::node* preset = table.get("preset")) {
    names(*preset, "preset", {kPaperRecipe});
    recipe = paper_recipe();
  }
  for (const Entry& item : entries(table)) {
    if (item.key == "preset") continue;
    const Json value = as_json(*item.value, where + "." + item.key);
    at_line(item.line, [&] { set_recipe_field(recipe, item.key, value); });
  }
  at_line(entry.line, [&] { check_recipe(recipe); });
  if (recipe.warmup_epochs > static_cast<double>(recipe.epochs)) {
    const toml::node* given = table.get("warmup_epochs");
    grid_.fail_at(given ? line_of(*given) : entry.line,
                  "recipe '{}' warms up for {:g} epochs{} and ends after {}, before its rate is "
                  "reached; set warmup_epochs lower",
                  entry.key, recipe.warmup_epochs, given ? "" : " (the default)", recipe.epochs);
  }
  grid_.recipes[entry.key] = recipe;
}

void GridReader::read_cells(const toml::table& table) {
  const Names axes{"architecture", "spatial_prior", "labeler",  "dataset",
                   "recipe",       "seed",          "precision"};
  check_keys(table, "cells", axes);
  Names known_architectures;
  for (const Architecture& known : architectures()) known_architectures.push_back(known.name);

  CellsBlock block;
  block.line = line_of(table);
  // An axis that may be omitted if only one value is possible anyway.
  const auto axis = [&](const char* key, const Names& known, const Names& otherwise) {
    if (const toml::node* node = table.get(key)) return names(*node, key, known);
    if (otherwise.size() == 1) return Axis<std::string>{{otherwise[0], block.line}};
    grid_.fail_at(block.line, "[[cells]] needs {} = ...{}", key,
                  known.empty() ? fmt::format(", and the file a [{}.NAME]", key) : "");
  };
  block.architectures = axis("architecture", known_architectures, {});
  block.spatial_priors = axis("spatial_prior", {"none", "convit"}, {"none"});
  if (const toml::node* wanted = table.get("labeler")) inputs_.require_pins(*wanted);
  block.labelers = axis("labeler", keys(grid_.labelers), {"none"});
  block.datasets = axis("dataset", keys(grid_.datasets), keys(grid_.datasets));
  Names known_recipes = keys(grid_.recipes);
  known_recipes.emplace_back(kPaperRecipe);  // needs no section
  block.recipes = axis("recipe", known_recipes, keys(grid_.recipes));
  for (const auto& recipe : block.recipes) {
    if (recipe.value == kPaperRecipe) grid_.recipes.try_emplace(kPaperRecipe, paper_recipe());
  }
  block.precisions = axis("precision", {"fp32", "tf32", "bf16", "fp16"}, {"fp32"});
  const toml::node* seed = table.get("seed");
  block.seeds = seed ? integers(*seed, "seed") : Axis<int64_t>{{0, block.line}};
  grid_.cells.push_back(std::move(block));
}

void GridReader::read_evaluation(const toml::table& table) {
  check_keys(table, "evaluation", {"sets", "labeler", "evaluation"});
  EvaluationEntry entry;
  entry.line = line_of(table);
  const toml::node* sets = table.get("sets");
  if (!sets) grid_.fail_at(entry.line, "[[evaluation]] needs sets = [...]");
  entry.sets = names(*sets, "evaluation set", evaluation_sets());
  if (const toml::node* labeler = table.get("labeler")) {
    entry.labelers = names(*labeler, "labeler", keys(grid_.labelers));
  }
  if (const toml::node* transform = table.get("evaluation")) {
    entry.transform =
        names(*transform, "evaluation", {kWholeTransform, kReleasedTransform}).front().value;
  }
  grid_.evaluations.push_back(std::move(entry));
}

// [saliency] set = "...", and images = [...] or count = N with seed = S.
void GridReader::read_saliency(const toml::node& node) {
  const toml::table& table = as_table({"saliency", line_of(node), &node}, "saliency");
  check_keys(table, "saliency", {"set", "images", "count", "seed"});
  SaliencyEntry entry;
  entry.line = line_of(node);
  const toml::node* set = table.get("set");
  if (!set) grid_.fail_at(entry.line, "[saliency] needs set = \"...\"");
  if (!set->is_string()) grid_.fail_at(line_of(*set), "saliency.set must be text in quotes");
  entry.set = names(*set, "evaluation set", evaluation_sets()).front();
  entry.images = saliency_images(table, entry.line);
  grid_.saliency = std::move(entry);
}

SaliencyImages GridReader::saliency_images(const toml::table& table, int line) const {
  const toml::node* images = table.get("images");
  const toml::node* count = table.get("count");
  const toml::node* seed = table.get("seed");
  if ((images != nullptr) == (count != nullptr)) {
    grid_.fail_at(line, "[saliency] needs images = [...], or count = N, and not both");
  }
  const auto check_number = [&](int64_t number, int at) {
    if (number >= 1 && number <= kMostSaliencyImages) return;
    grid_.fail_at(at, "[saliency] draws {} images; it must be 1 to {}", number,
                  kMostSaliencyImages);
  };
  if (images) {
    if (seed) grid_.fail_at(line_of(*seed), "saliency.seed goes with count, not with images");
    const Axis<std::string> named = each(*images, "saliency.images", [&](const toml::node& item) {
      return as_string(item, "saliency.images");
    });
    check_number(static_cast<int64_t>(named.size()), line_of(*images));
    SaliencyImages chosen;
    for (const auto& name : named) chosen.names.push_back(name.value);
    return chosen;
  }
  const int64_t number = as_integer(*count, "saliency.count");
  check_number(number, line_of(*count));
  int64_t chosen_seed = 0;
  if (seed) chosen_seed = integers(*seed, "saliency.seed").front().value;
  return {.count = number, .seed = chosen_seed};
}

GridFile GridReader::read() {
  const toml::table& root = root_;
  try {
    root_ = toml::parse(grid_.text, grid_.file);
  } catch (const toml::parse_error& error) {
    grid_.fail_at(static_cast<int>(error.source().begin.line), "{}", error.description());
  }
  read_top(root);
  grid_.labelers["none"] = {};
  for (const Labeler& labeler : labelers()) {
    if (!labeler.pin.empty()) continue;  // usable only once a table pins it
    grid_.labelers[labeler.name] = {make_labeler_spec(labeler.name), labeler.distance};
  }
  const auto sections = [&](const char* kind, const auto& read_one) {
    const toml::node* node = root.get(kind);
    if (!node) return;
    if (!node->is_table())
      grid_.fail_at(line_of(*node), "{} must be tables: write [{}.NAME]", kind, kind);
    for (const Entry& entry : entries(*node->as_table())) {
      if (!is_plain_name(entry.key)) {
        grid_.fail_at(entry.line, "[{}.{}]: a name may hold letters, digits, '_', '-' and '.' only",
                      kind, entry.key);
      }
      read_one(entry);
    }
  };
  sections("dataset", [&](const Entry& entry) { inputs_.read_dataset(entry); });
  sections("labeler", [&](const Entry& entry) { inputs_.read_labeler(entry); });
  sections("recipe", [&](const Entry& entry) { read_recipe(entry); });
  for (const toml::table* block : as_tables(root, "cells")) read_cells(*block);
  for (const toml::table* entry : as_tables(root, "evaluation")) read_evaluation(*entry);
  if (const toml::node* saliency = root.get("saliency")) read_saliency(*saliency);
  inputs_.list_missing();
  return std::move(grid_);
}

}  // namespace

GridFile read_grid_file(const std::string& text, const std::string& file,
                        const std::filesystem::path& workspace) {
  return GridReader(text, file, workspace).read();
}

}  // namespace remixer::experiments
