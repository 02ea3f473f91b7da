// SPDX-License-Identifier: Apache-2.0
// Reads a grid's [dataset.NAME] and [labeler.NAME] tables and looks up in the workspace what they
// name. Missing inputs get a placeholder and, if a cell or an evaluation uses them, an entry in
// GridFile::missing.
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/grid/grid_file.h"
#include "experiments/grid/toml_reader.h"
#include "experiments/spec/components.h"

namespace remixer::experiments {

class InputSections : private TomlReader {
 public:
  // All three must outlive it. `root`: the whole file.
  InputSections(GridFile& grid, const toml::table& root, const std::filesystem::path& workspace)
      : TomlReader(grid), grid_(grid), root_(root), workspace_(workspace) {}

  using TomlReader::Entry;
  void read_dataset(const Entry& entry);
  void read_labeler(const Entry& entry);
  // For a labeler that is known but not pinned by any table: throws, saying what it needs.
  void require_pins(const toml::node& node) const;
  // Call after the cells and evaluations are read: lists the missing inputs that they use.
  void list_missing();

 private:
  NamedDataset built_dataset(const Entry& entry, const std::string& where,
                             const std::string& builder, int builder_line) const;
  NamedDataset imported_dataset(const Entry& entry, const std::string& where);
  // Placeholders for inputs that the workspace does not have yet.
  NamedDataset expected_dataset(const Entry& entry, const std::string& name,
                                const std::string& kind, int line, const std::string& problem);
  std::string expected_pin(const Entry& entry, const Labeler& labeler, const std::string& name,
                           int line);
  // Whether a cell or an evaluation uses the section of this name.
  bool uses_dataset(const std::string& name) const;
  bool uses_labeler(const std::string& name) const;
  // The sets that [[evaluation]] entries name, read in advance.
  Names named_sets() const;

  GridFile& grid_;
  const toml::table& root_;
  const std::filesystem::path& workspace_;
  // Inputs that the workspace does not have, with the names of the sections that name them.
  struct Absent {
    std::string section;
    MissingInput input;
  };
  std::vector<Absent> absent_;
};

}  // namespace remixer::experiments
