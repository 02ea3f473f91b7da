// SPDX-License-Identifier: Apache-2.0
// Speeds at which a machine trains, evaluates and labels: measured if a rehearsal or `bench step`
// was run on such a machine, else from stated tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "experiments/spec/architectures.h"
#include "experiments/spec/cell.h"

namespace remixer::experiments {

// The machine that tasks will run on. One worker runs one task at a time.
struct Machine {
  bool gpu = false;
  std::string model{};     // the GPU's, as in Slurm's gres: "a100"; empty: unknown
  int64_t devices = 1;     // GPUs of a worker; on a CPU machine, its cores
  int64_t processors = 1;  // CPU cores of a worker
  int64_t workers = 1;     // running at once
};

// Speed of one unit: a GPU or a CPU core.
struct Rate {
  double images = 0;  // per second; 0: unknown
  std::string basis;  // "measured: ..." or "stated: ..."
};

// One image's label: a network runs on a GPU if there is one, everything else on CPU cores.
struct LabelCost {
  double processor_seconds = 0;  // of one CPU core; 0: unknown
  double device_seconds = 0;     // of one GPU
  std::string basis;
};

class Rates {
 public:
  explicit Rates(Machine machine) : machine_(std::move(machine)) {}

  // Adds measurements: a rehearsal's record, or the output of `remixer bench step --format json`.
  // `from` names the source for people. Throws InputError if `record` is neither.
  void add(const Json& record, const std::string& from);

  // Images per second on one GPU or CPU core.
  Rate training(const Cell& cell) const;
  Rate evaluation(const Cell& cell) const;
  // What a label costs. `pinned`: the grid's name for its weights; `image_size`: pixels a side, 0
  // if the images vary in size.
  LabelCost labelling(const LabelerSpec& labeler, const std::string& pinned,
                      int64_t image_size) const;
  // Bytes per map in a label file.
  double bytes_a_map(const LabelerSpec& labeler) const;

  const Machine& machine() const { return machine_; }

 private:
  struct Measured {
    std::string key;
    double images = 0;
    std::string basis;
    bool gpu = false;
    std::string model;
  };
  const Measured* find(const std::string& key, bool on_device) const;
  Machine machine_;
  std::vector<Measured> measured_;
  std::vector<std::pair<std::string, double>> bytes_;  // by labeler, measured
};

// Approximate multiply-adds of one image's forward pass; 0 for an extension's model.
double multiply_adds(const Architecture& architecture, int64_t image_size);
// Approximate number of weights.
double parameters(const Architecture& architecture);

}  // namespace remixer::experiments
