// SPDX-License-Identifier: Apache-2.0
#include "experiments/grid/grid_reader.h"

#include <toml++/toml.h>

#include <algorithm>

#include "base/nearest_name.h"
#include "experiments/spec/components.h"
#include "experiments/spec/imported.h"
#include "experiments/spec/known_datasets.h"
#include "experiments/spec/paper_recipe.h"
#include "experiments/spec/pins.h"
#include "experiments/spec/task.h"

namespace remixer::experiments {
namespace {

using Names = std::vector<std::string>;

// The recipe that is there without a section, and what a section may begin with.
constexpr const char* kPaperRecipe = "paper";

int line_of(const toml::node& node) {
  return static_cast<int>(node.source().begin.line);
}

class GridReader {
 public:
  GridReader(const std::string& text, const std::string& file,
             const std::filesystem::path& workspace)
      : workspace_(workspace) {
    grid_.file = file;
    grid_.text = text;
  }
  GridFile read();

 private:
  // A member of a table with its key, in the file's order.
  struct Entry {
    std::string key;
    int line = 0;
    const toml::node* value = nullptr;
  };
  std::vector<Entry> entries(const toml::table& table) const;
  void check_keys(const toml::table& table, const std::string& where, const Names& known) const;

  const toml::table& as_table(const Entry& entry, const std::string& where) const;
  std::vector<const toml::table*> as_tables(const toml::table& root, const char* key) const;
  std::string as_string(const toml::node& node, const std::string& where) const;
  int64_t as_integer(const toml::node& node, const std::string& where) const;
  Json as_json(const toml::node& node, const std::string& where) const;
  Axis<std::string> names(const toml::node& node, const std::string& what,
                          const Names& known) const;
  Axis<int64_t> integers(const toml::node& node, const std::string& what) const;
  template <typename Read>
  auto each(const toml::node& node, const std::string& what, Read read) const;

  // Runs `action`, putting the line in front of the message of an InputError.
  template <typename Action>
  auto at_line(int line, Action action) const;

  void read_top(const toml::table& root);
  void read_dataset(const Entry& entry);
  void read_labeler(const Entry& entry);
  void require_pins(const toml::node& node);
  void read_recipe(const Entry& entry);
  void read_cells(const toml::table& block);
  void read_saliency(const toml::node& node);
  Json saliency_images(const toml::table& table, int line) const;
  void read_evaluation(const toml::table& entry);
  NamedDataset built_dataset(const Entry& entry, const std::string& where,
                             const std::string& builder, int builder_line) const;
  NamedDataset imported_dataset(const Entry& entry, const std::string& where);
  // For what the workspace does not hold yet.
  NamedDataset expected_dataset(const std::string& name, const std::string& kind, int line,
                                const std::string& problem);
  std::string expected_pin(const Labeler& labeler, const std::string& name, int line);
  // What [[evaluation]] entries say, read ahead.
  Names named_sets() const;
  // What an [[evaluation]] may name: the datasets' own sets, and other datasets as a whole.
  Names evaluation_sets() const;
  template <typename T>
  static Names keys(const std::map<std::string, T>& map);

  std::filesystem::path workspace_;
  GridFile grid_;
  toml::table root_;
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

template <typename Action>
auto GridReader::at_line(int line, Action action) const {
  try {
    return action();
  } catch (const InputError& error) {
    grid_.fail_at(line, "{}", error.what());
  }
}

std::vector<GridReader::Entry> GridReader::entries(const toml::table& table) const {
  std::vector<Entry> entries;
  for (const auto& [key, value] : table) {
    entries.push_back({std::string(key.str()), static_cast<int>(key.source().begin.line), &value});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.line < b.line; });
  return entries;
}

void GridReader::check_keys(const toml::table& table, const std::string& where,
                            const Names& known) const {
  for (const Entry& entry : entries(table)) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    grid_.fail_at(entry.line, "{}{}", where.empty() ? "" : where + ": ",
                  unknown_name("key", entry.key, known));
  }
}

const toml::table& GridReader::as_table(const Entry& entry, const std::string& where) const {
  const toml::table* table = entry.value->as_table();
  if (!table) grid_.fail_at(entry.line, "{} must be a table: write [{}]", where, where);
  return *table;
}

std::vector<const toml::table*> GridReader::as_tables(const toml::table& root,
                                                      const char* key) const {
  const toml::node* node = root.get(key);
  if (!node) grid_.fail_at(1, "nothing to run: there is no [[{}]] block", key);
  const toml::array* array = node->as_array();
  if (!array || array->empty())
    grid_.fail_at(line_of(*node), "write [[{}]], in double brackets", key);
  std::vector<const toml::table*> tables;
  for (const toml::node& item : *array) {
    if (!item.is_table()) grid_.fail_at(line_of(item), "write [[{}]], in double brackets", key);
    tables.push_back(item.as_table());
  }
  return tables;
}

std::string GridReader::as_string(const toml::node& node, const std::string& where) const {
  if (!node.is_string()) grid_.fail_at(line_of(node), "{} must be text in quotes", where);
  return **node.as_string();
}

int64_t GridReader::as_integer(const toml::node& node, const std::string& where) const {
  if (!node.is_integer()) grid_.fail_at(line_of(node), "{} must be an integer", where);
  return **node.as_integer();
}

Json GridReader::as_json(const toml::node& node, const std::string& where) const {
  if (const auto* text = node.as_string()) return **text;
  if (const auto* number = node.as_integer()) return **number;
  if (const auto* number = node.as_floating_point()) return **number;
  if (const auto* flag = node.as_boolean()) return **flag;
  grid_.fail_at(line_of(node), "{} must be one number, text or true/false", where);
}

// A scalar, or each item of an array that is not empty.
template <typename Read>
auto GridReader::each(const toml::node& node, const std::string& what, Read read) const {
  Axis<decltype(read(node))> axis;
  const toml::array* array = node.as_array();
  if (!array) {
    axis.push_back({read(node), line_of(node)});
    return axis;
  }
  if (array->empty()) grid_.fail_at(line_of(node), "{} is an empty list", what);
  for (const toml::node& item : *array) {
    axis.push_back({read(item), line_of(item)});
    for (size_t i = 0; i + 1 < axis.size(); ++i) {
      if (axis[i].value != axis.back().value) continue;
      grid_.fail_at(line_of(item), "{} lists '{}' twice", what, axis.back().value);
    }
  }
  return axis;
}

Axis<std::string> GridReader::names(const toml::node& node, const std::string& what,
                                    const Names& known) const {
  return each(node, what, [&](const toml::node& item) {
    std::string name = as_string(item, what);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      grid_.fail_at(line_of(item), "{}", unknown_name(what, name, known));
    }
    return name;
  });
}

Axis<int64_t> GridReader::integers(const toml::node& node, const std::string& what) const {
  return each(node, what, [&](const toml::node& item) {
    const int64_t value = as_integer(item, what);
    if (value < 0 || value > int64_t{1} << 53) {
      grid_.fail_at(line_of(item), "{} is {}; it must be at least 0 and at most 2^53", what, value);
    }
    return value;
  });
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

void GridReader::read_dataset(const Entry& entry) {
  const std::string where = "dataset." + entry.key;
  const toml::table& table = as_table(entry, where);
  const toml::node* builder = table.get("builder");
  if (!builder) grid_.fail_at(entry.line, "[{}] needs builder = \"...\"", where);
  const std::string name = as_string(*builder, where + ".builder");
  grid_.datasets[entry.key] = name == kImportedBuilder
                                  ? imported_dataset(entry, where)
                                  : built_dataset(entry, where, name, line_of(*builder));
}

NamedDataset GridReader::built_dataset(const Entry& entry, const std::string& where,
                                       const std::string& builder, int builder_line) const {
  Names known{"builder"};
  const DatasetBuilder* found = nullptr;
  at_line(builder_line, [&] {
    Names builders{kImportedBuilder};
    for (const DatasetBuilder& each : dataset_builders()) {
      builders.push_back(each.name);
      if (each.name == builder) found = &each;
    }
    if (!found) fail_input("{}", unknown_name("dataset builder", builder, builders));
    if (found->from_own_files) {
      fail_input(
          "'{}' is built from your own files: run `remixer dataset build {} --from FOLDER`, then "
          "name it here with builder = \"{}\"",
          builder, builder, kImportedBuilder);
    }
  });
  for (const Parameter& parameter : found->parameters) known.push_back(parameter.name);
  const toml::table& table = *entry.value->as_table();
  check_keys(table, where, known);
  Json overrides = Json::object();
  for (const Entry& item : entries(table)) {
    if (item.key == "builder") continue;
    overrides[item.key] = as_json(*item.value, where + "." + item.key);
    at_line(item.line, [&] { dataset_entry(builder, overrides); });
  }
  NamedDataset dataset{dataset_entry(builder, overrides),
                       found->image_size,
                       true,
                       found->evaluation_sets,
                       {},
                       builder};
  const auto count = [&](const char* parameter) { return dataset.entry.value(parameter, 0); };
  if (dataset.entry.contains("train_images")) dataset.images["train"] = count("train_images");
  for (const std::string& set : dataset.evaluation_sets) {
    if (dataset.entry.contains("test_images")) dataset.images[set] = count("test_images");
  }
  return dataset;
}

// [dataset.NAME] builder = "imported", and name = "..." where the workspace calls it otherwise.
NamedDataset GridReader::imported_dataset(const Entry& entry, const std::string& where) {
  const toml::table& table = *entry.value->as_table();
  check_keys(table, where, {"builder", "name", "kind"});
  std::string name = entry.key;
  int line = entry.line;
  if (const toml::node* given = table.get("name")) {
    name = as_string(*given, where + ".name");
    line = line_of(*given);
  }
  std::string kind = find_known_dataset(name)        ? name
                     : find_known_dataset(entry.key) ? entry.key
                                                     : "";
  if (const toml::node* given = table.get("kind")) {
    Names known{"folder"};
    for (const KnownDataset& each : known_datasets()) known.push_back(each.name);
    kind = names(*given, where + ".kind", known).front().value;
  }
  std::string problem;
  try {
    const ImportedDataset found = find_imported(workspace_, name);
    NamedDataset dataset{found.entry, found.image_size, false, {}, found.images, kind, name};
    for (const std::string& split : found.splits) {
      if (split == "train") {
        dataset.trains = true;
      } else {
        dataset.evaluation_sets.push_back(split);
      }
    }
    return dataset;
  } catch (const NoSuchDataset& error) {
    problem = error.what();
  } catch (const InputError& error) {
    grid_.fail_at(line, "{}", error.what());
  }
  return expected_dataset(name, kind, line, problem);
}

NamedDataset GridReader::expected_dataset(const std::string& name, const std::string& kind,
                                          int line, const std::string& problem) {
  const KnownDataset* known = find_known_dataset(kind);
  const std::string named = kind == name ? "" : " --name " + name;
  grid_.missing.push_back(
      {"dataset", name, kind, fmt::format("{}:{}: {}", grid_.file, line, problem),
       known ? known->source : "",
       (known ? known->command : "remixer dataset import folder FOLDER") + named,
       known ? known->gigabytes : 0});
  NamedDataset dataset;
  dataset.entry = {{"builder", kImportedBuilder},
                   {"version", kImportedVersion},
                   {"manifest_sha256", content_id({{"missing", name}, {"kind", kind}})}};
  dataset.kind = kind;
  dataset.called = name;
  if (!known) {
    // Whatever the grid asks of it.
    dataset.evaluation_sets = named_sets();
    return dataset;
  }
  dataset.image_size = known->image_size;
  dataset.trains = known->splits.front().first == "train";
  for (const auto& [split, images] : known->splits) {
    dataset.images[split] = images;
    if (split != "train") dataset.evaluation_sets.push_back(split);
  }
  return dataset;
}

Names GridReader::named_sets() const {
  Names sets;
  const auto add = [&](const toml::node& node) {
    if (!node.is_string()) return;
    const std::string set = **node.as_string();
    const size_t slash = set.find('/');
    sets.push_back(slash == std::string::npos ? set : set.substr(slash + 1));
  };
  const toml::array* entries = root_["evaluation"].as_array();
  for (size_t i = 0; entries && i < entries->size(); ++i) {
    const toml::table* table = entries->get(i)->as_table();
    const toml::node* given = table ? table->get("sets") : nullptr;
    if (!given) continue;
    if (const toml::array* list = given->as_array()) {
      for (const toml::node& item : *list) add(item);
    } else {
      add(*given);
    }
  }
  // Other data sets' names are no splits of this one.
  const toml::table* datasets = root_["dataset"].as_table();
  std::erase_if(sets, [&](const std::string& set) { return datasets && datasets->contains(set); });
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  if (sets.empty()) sets.push_back("val");
  return sets;
}

void GridReader::read_labeler(const Entry& entry) {
  const std::string where = "labeler." + entry.key;
  const toml::table& table = as_table(entry, where);
  if (entry.key == "none") grid_.fail_at(entry.line, "labeler 'none' has nothing to set");
  std::string kind = entry.key;
  int kind_line = entry.line;
  if (const toml::node* node = table.get("kind")) {
    kind = as_string(*node, where + ".kind");
    kind_line = line_of(*node);
  }
  Names known{"kind", "distance"};
  NamedLabeler labeler;
  at_line(kind_line, [&] {
    const Labeler& base = find_labeler(kind);
    labeler.distance = base.distance;
    for (const Parameter& parameter : base.parameters) known.push_back(parameter.name);
    if (!base.pin.empty()) known.insert(known.end(), {base.pin, "pinned"});
  });
  check_keys(table, where, known);
  Json overrides = Json::object();
  // Whatever else is wrong, a pin that is missing or no hash is said of the table.
  const std::string& pin = find_labeler(kind).pin;
  if (!pin.empty()) {
    const toml::node* node = table.get(pin);
    const toml::node* named = table.get("pinned");
    if (node && named) {
      grid_.fail_at(line_of(*named), "{} has {} and a name in `pinned`: give one of them", where,
                    pin);
    }
    if (node) overrides[pin] = as_json(*node, where + "." + pin);
    if (named) {
      overrides[pin] =
          expected_pin(find_labeler(kind), as_string(*named, where + ".pinned"), line_of(*named));
      labeler.pinned = **named->as_string();
    }
    at_line(node ? line_of(*node) : entry.line, [&] { labeler_entry(kind, overrides); });
  }
  for (const Entry& item : entries(table)) {
    if (item.key == "kind" || item.key == "pinned" || item.key == pin) continue;
    if (item.key == "distance") {
      labeler.distance = names(*item.value, "distance", {"l1", "cosine", "none"}).front().value;
      continue;
    }
    overrides[item.key] = as_json(*item.value, where + "." + item.key);
    at_line(item.line, [&] { labeler_entry(kind, overrides); });
  }
  labeler.entry = labeler_entry(kind, overrides);
  grid_.labelers[entry.key] = labeler;
}

// The hash that the workspace's pin of that name holds, or one that stands for it.
std::string GridReader::expected_pin(const Labeler& labeler, const std::string& name, int line) {
  const auto found = at_line(line, [&] { return find_pin(workspace_, name); });
  if (found && (found->kind != labeler.name || found->key != labeler.pin)) {
    grid_.fail_at(line, "'{}' is pinned for labeler '{}', not for '{}'", name, found->kind,
                  labeler.name);
  }
  if (found) return found->sha256;
  const std::string stand_in = content_id({{"missing", name}, {"kind", labeler.name}});
  for (const MissingInput& other : grid_.missing) {
    if (other.what == "weights" && other.name == name) return stand_in;
  }
  const PinAdvice advice = pin_advice(labeler.name, name);
  grid_.missing.push_back(
      {"weights", name, labeler.name,
       fmt::format("{}:{}: nothing is pinned as '{}' in the workspace {}, which "
                   "labeler '{}' needs: {}",
                   grid_.file, line, name, workspace_.string(), labeler.name, advice.command),
       advice.source, advice.command, advice.gigabytes});
  return stand_in;
}

void GridReader::read_recipe(const Entry& entry) {
  const std::string where = "recipe." + entry.key;
  const toml::table& table = as_table(entry, where);
  Names known = recipe_field_names();
  known.insert(known.begin(), "preset");
  check_keys(table, where, known);
  Recipe recipe;
  // The preset first, wherever it stands: the other keys change it.
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

// Says of a labeler that is known, but has no table to pin it, what it needs.
void GridReader::require_pins(const toml::node& node) {
  each(node, "labeler", [&](const toml::node& item) {
    const std::string name = as_string(item, "labeler");
    for (const Labeler& labeler : labelers()) {
      if (labeler.name != name || grid_.labelers.contains(name)) continue;
      at_line(line_of(item), [&] { labeler_entry(name); });
    }
    return name;
  });
}

void GridReader::read_cells(const toml::table& table) {
  const Names axes{"architecture", "spatial_prior", "labeler",  "dataset",
                   "recipe",       "seed",          "precision"};
  check_keys(table, "cells", axes);
  Names known_architectures;
  for (const Architecture& known : architectures()) known_architectures.push_back(known.name);

  CellsBlock block;
  block.line = line_of(table);
  // An axis that may be left out where only one value is possible anyway.
  const auto axis = [&](const char* key, const Names& known, const Names& otherwise) {
    if (const toml::node* node = table.get(key)) return names(*node, key, known);
    if (otherwise.size() == 1) return Axis<std::string>{{otherwise[0], block.line}};
    grid_.fail_at(block.line, "[[cells]] needs {} = ...{}", key,
                  known.empty() ? fmt::format(", and the file a [{}.NAME]", key) : "");
  };
  block.architectures = axis("architecture", known_architectures, {});
  block.spatial_priors = axis("spatial_prior", {"none", "convit"}, {"none"});
  if (const toml::node* wanted = table.get("labeler")) require_pins(*wanted);
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

Json GridReader::saliency_images(const toml::table& table, int line) const {
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
    Json list = Json::array();
    for (const auto& name : named) list.push_back(name.value);
    return list;
  }
  const int64_t number = as_integer(*count, "saliency.count");
  check_number(number, line_of(*count));
  int64_t chosen_seed = 0;
  if (seed) chosen_seed = integers(*seed, "saliency.seed").front().value;
  return {{"count", number}, {"seed", chosen_seed}};
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
    if (!labeler.pin.empty()) continue;  // has no meaning before a table gives it one
    grid_.labelers[labeler.name] = {labeler_entry(labeler.name), labeler.distance};
  }
  const auto sections = [&](const char* kind, void (GridReader::*read_one)(const Entry&)) {
    const toml::node* node = root.get(kind);
    if (!node) return;
    if (!node->is_table())
      grid_.fail_at(line_of(*node), "{} must be tables: write [{}.NAME]", kind, kind);
    for (const Entry& entry : entries(*node->as_table())) {
      if (!is_plain_name(entry.key)) {
        grid_.fail_at(entry.line, "[{}.{}]: a name may hold letters, digits, '_', '-' and '.' only",
                      kind, entry.key);
      }
      (this->*read_one)(entry);
    }
  };
  sections("dataset", &GridReader::read_dataset);
  sections("labeler", &GridReader::read_labeler);
  sections("recipe", &GridReader::read_recipe);
  for (const toml::table* block : as_tables(root, "cells")) read_cells(*block);
  for (const toml::table* entry : as_tables(root, "evaluation")) read_evaluation(*entry);
  if (const toml::node* saliency = root.get("saliency")) read_saliency(*saliency);
  return std::move(grid_);
}

}  // namespace

GridFile read_grid_file(const std::string& text, const std::string& file,
                        const std::filesystem::path& workspace) {
  return GridReader(text, file, workspace).read();
}

}  // namespace remixer::experiments
