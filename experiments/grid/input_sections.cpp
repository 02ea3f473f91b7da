// SPDX-License-Identifier: Apache-2.0
#include "experiments/grid/input_sections.h"

#include <algorithm>

#include "base/nearest_name.h"
#include "experiments/spec/imported.h"
#include "experiments/spec/known_datasets.h"
#include "experiments/spec/pins.h"

namespace remixer::experiments {

void InputSections::read_dataset(const Entry& entry) {
  const std::string where = "dataset." + entry.key;
  const toml::table& table = as_table(entry, where);
  const toml::node* builder = table.get("builder");
  if (!builder) grid_.fail_at(entry.line, "[{}] needs builder = \"...\"", where);
  const std::string name = as_string(*builder, where + ".builder");
  grid_.datasets[entry.key] = name == kImportedBuilder
                                  ? imported_dataset(entry, where)
                                  : built_dataset(entry, where, name, line_of(*builder));
}

NamedDataset InputSections::built_dataset(const Entry& entry, const std::string& where,
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
    at_line(item.line, [&] { make_dataset_spec(builder, overrides); });
  }
  NamedDataset dataset{make_dataset_spec(builder, overrides),
                       found->image_size,
                       true,
                       found->evaluation_sets,
                       {},
                       builder};
  const DatasetSpec& spec = dataset.spec;
  if (spec.has("train_images")) dataset.images["train"] = spec.parameter("train_images");
  for (const std::string& set : dataset.evaluation_sets) {
    if (spec.has("test_images")) dataset.images[set] = spec.parameter("test_images");
  }
  return dataset;
}

// [dataset.NAME] builder = "imported", and name = "..." if its name in the workspace differs.
NamedDataset InputSections::imported_dataset(const Entry& entry, const std::string& where) {
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
    NamedDataset dataset{found.spec, found.image_size, false, {}, found.images, kind, name};
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
  return expected_dataset(entry, name, kind, line, problem);
}

NamedDataset InputSections::expected_dataset(const Entry& entry, const std::string& name,
                                             const std::string& kind, int line,
                                             const std::string& problem) {
  const KnownDataset* known = find_known_dataset(kind);
  const std::string named = kind == name ? "" : " --name " + name;
  absent_.push_back({entry.key,
                     {"dataset", name, kind, fmt::format("{}:{}: {}", grid_.file, line, problem),
                      known ? known->source : "",
                      (known ? known->command : "remixer dataset import folder FOLDER") + named,
                      known ? known->gigabytes : 0}});
  NamedDataset dataset;
  dataset.spec.name = kImportedBuilder;
  dataset.spec.version = kImportedVersion;
  dataset.spec.hashes["manifest_sha256"] = content_id({{"missing", name}, {"kind", kind}});
  dataset.kind = kind;
  dataset.called = name;
  if (!known) {
    // Unknown contents: accept every set that the grid names.
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

Names InputSections::named_sets() const {
  Names sets;
  const auto add = [&](const toml::node& node) {
    if (!node.is_string()) return;
    const SetName name(**node.as_string());
    sets.push_back(name.split.value_or(name.first));
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
  // Names of other data sets are not splits of this one.
  const toml::table* datasets = root_["dataset"].as_table();
  std::erase_if(sets, [&](const std::string& set) { return datasets && datasets->contains(set); });
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  if (sets.empty()) sets.push_back("val");
  return sets;
}

void InputSections::read_labeler(const Entry& entry) {
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
  // A missing or malformed pin is reported first, at the table's line.
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
      overrides[pin] = expected_pin(entry, find_labeler(kind), as_string(*named, where + ".pinned"),
                                    line_of(*named));
      labeler.pinned = **named->as_string();
    }
    at_line(node ? line_of(*node) : entry.line, [&] { make_labeler_spec(kind, overrides); });
  }
  for (const Entry& item : entries(table)) {
    if (item.key == "kind" || item.key == "pinned" || item.key == pin) continue;
    if (item.key == "distance") {
      labeler.distance = names(*item.value, "distance", {"l1", "cosine", "none"}).front().value;
      continue;
    }
    overrides[item.key] = as_json(*item.value, where + "." + item.key);
    at_line(item.line, [&] { make_labeler_spec(kind, overrides); });
  }
  labeler.spec = make_labeler_spec(kind, overrides);
  grid_.labelers[entry.key] = labeler;
}

// The hash stored in the workspace's pin of that name, or a placeholder.
std::string InputSections::expected_pin(const Entry& entry, const Labeler& labeler,
                                        const std::string& name, int line) {
  const auto found = at_line(line, [&] { return find_pin(workspace_, name); });
  if (found && (found->kind != labeler.name || found->key != labeler.pin)) {
    grid_.fail_at(line, "'{}' is pinned for labeler '{}', not for '{}'", name, found->kind,
                  labeler.name);
  }
  if (found) return found->sha256;
  const PinAdvice advice = pin_advice(labeler.name, name);
  absent_.push_back(
      {entry.key,
       {"weights", name, labeler.name,
        fmt::format("{}:{}: nothing is pinned as '{}' in the workspace {}, which "
                    "labeler '{}' needs: {}",
                    grid_.file, line, name, workspace_.string(), labeler.name, advice.command),
        advice.source, advice.command, advice.gigabytes}});
  return content_id({{"missing", name}, {"kind", labeler.name}});
}

bool InputSections::uses_dataset(const std::string& name) const {
  const auto is_in = [&](const Axis<std::string>& axis) {
    return std::any_of(axis.begin(), axis.end(),
                       [&](const auto& each) { return SetName(each.value).first == name; });
  };
  return std::any_of(grid_.cells.begin(), grid_.cells.end(),
                     [&](const CellsBlock& block) { return is_in(block.datasets); }) ||
         std::any_of(grid_.evaluations.begin(), grid_.evaluations.end(),
                     [&](const EvaluationEntry& entry) { return is_in(entry.sets); }) ||
         (grid_.saliency && is_in({grid_.saliency->set}));
}

bool InputSections::uses_labeler(const std::string& name) const {
  return std::any_of(grid_.cells.begin(), grid_.cells.end(), [&](const CellsBlock& block) {
    return std::any_of(block.labelers.begin(), block.labelers.end(),
                       [&](const auto& each) { return each.value == name; });
  });
}

void InputSections::list_missing() {
  for (const Absent& absent : absent_) {
    const MissingInput& input = absent.input;
    const bool weights = input.what == "weights";
    if (!(weights ? uses_labeler(absent.section) : uses_dataset(absent.section))) continue;
    // Several labelers may use the same weights.
    const bool listed =
        std::any_of(grid_.missing.begin(), grid_.missing.end(), [&](const MissingInput& other) {
          return weights && other.what == input.what && other.name == input.name;
        });
    if (!listed) grid_.missing.push_back(input);
  }
}

void InputSections::require_pins(const toml::node& node) const {
  each(node, "labeler", [&](const toml::node& item) {
    const std::string name = as_string(item, "labeler");
    for (const Labeler& labeler : labelers()) {
      if (labeler.name != name || grid_.labelers.contains(name)) continue;
      at_line(line_of(item), [&] { make_labeler_spec(name); });
    }
    return name;
  });
}

}  // namespace remixer::experiments
