// SPDX-License-Identifier: Apache-2.0
// A cell: one fully resolved configuration of one trained model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "experiments/spec/component_spec.h"
#include "experiments/spec/recipe.h"

namespace remixer::experiments {

struct Cell {
  std::string architecture;            // "deit_nano_patch4_32"
  int64_t architecture_version = 1;    // of the name's meaning (experiments/spec/components.h)
  std::string spatial_prior = "none";  // or "convit"
  std::optional<LabelerSpec> labeler;
  // "l1" or "cosine"; empty without a labeler. "none": a plain model, whose labels serve only as
  // targets of the recipe's token_labeling.
  std::string distance;
  DatasetSpec dataset;
  Recipe recipe;
  int64_t seed = 0;
  std::string precision = "fp32";  // "bf16" or "fp16": for the products; weights stay fp32

  // Names for people and for the views; not in the identity.
  std::string labeler_name = "none";
  std::string dataset_name;
  std::string recipe_name;

  // True for a ReMixer model: its patches are masked by the labels' distances.
  bool is_remixer() const { return labeler && distance != "none"; }

  // The JSON that is hashed: everything that can change the result, nothing else.
  Json identity() const;
  // SHA-256 of identity()'s canonical form, 64 hexadecimal characters.
  std::string id() const;
};

// The cell with its names, for messages and storage: {"identity": {...}, "labeler_name", ...}.
Json to_json(const Cell& cell);
// Throws InputError naming the field.
Cell cell_from_json(const Json& json);

}  // namespace remixer::experiments
