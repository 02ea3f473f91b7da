// SPDX-License-Identifier: Apache-2.0
#include "tools/model/forward_backward.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros_like.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text_table.h"
#include "core/evaluation/settings.h"
#include "core/io/torch_checkpoint.h"
#include "core/kernels/operators.h"
#include "core/models/weights.h"
#include "experiments/spec/architectures.h"
#include "tools/command/subcommand.h"
#include "tools/model/model_command.h"

namespace remixer::models {
namespace {

struct Arguments {
  std::string architecture, spatial_prior, distance = "l1", format = "table", type = "f32";
  int64_t num_classes = 0, image_size = 0, seed = 0;
  std::string weights, key, input, output;
  bool add_kappa = false, without_kappa = false, remixer = false;
  evaluation::SettingsWishes wishes;  // for import
  std::filesystem::path workspace;    // of the wishes
};

int64_t count_parameters(const Model& model) {
  int64_t count = 0;
  for (const auto& [name, tensor] : model.parameters()) count += tensor.numel();
  return count;
}

void list_models(const Arguments& arguments) {
  Table table({{"architecture"},
               {"family"},
               {"image_size"},
               {"patch"},
               {"dim"},
               {"depth"},
               {"parameters"}});
  for (const experiments::Architecture& a : experiments::architectures()) {
    const ModelSpec spec{.architecture = a.name, .image_size = a.image_size};
    table.add_row({a.name, a.family, a.image_size, a.patch, a.dim, a.depth,
                   count_parameters(*create_model_to_load(spec))});
  }
  std::cout << table.as(format_from_string(arguments.format));
}

ModelSpec spec_of(const Arguments& arguments, const io::Safetensors& weights) {
  ModelSpec spec = spec_of_weights(weights, arguments.architecture);
  if (arguments.num_classes > 0) spec.num_classes = arguments.num_classes;
  if (arguments.image_size > 0) spec.image_size = arguments.image_size;
  if (!arguments.spatial_prior.empty()) spec.spatial_prior = arguments.spatial_prior;
  return spec;
}

std::optional<at::Tensor> distance_of(const Arguments& arguments, const Model& model,
                                      const io::Safetensors& input) {
  if (!model.spec().remixer) return std::nullopt;
  const at::Tensor labels = input.at("labels");
  if (labels.dim() != 3 || !labels.is_floating_point()) {
    fail_input("{}: tensor 'labels' must be [B, N, K] of a floating type", input.path.string());
  }
  if (!at::isfinite(labels).all().item<bool>()) {
    fail_input("{}: tensor 'labels' holds values that are not finite", input.path.string());
  }
  return kernels::label_distance(labels.to(at::kFloat), arguments.distance);
}

struct Prepared {
  std::unique_ptr<Model> model;
  io::Safetensors input;
  at::Tensor logits;
};

Prepared run_forward(const Arguments& arguments) {
  const io::Safetensors weights = io::read_weights(arguments.weights, arguments.key);
  Prepared prepared;
  prepared.model = create_model_to_load(spec_of(arguments, weights));
  load_weights(*prepared.model, weights);
  prepared.input = io::read_safetensors(arguments.input);
  const at::Tensor images = prepared.input.at("images").to(at::kFloat);
  prepared.logits = prepared.model->forward(
      images, distance_of(arguments, *prepared.model, prepared.input), ForwardMode{});
  return prepared;
}

void forward(const Arguments& arguments) {
  const at::NoGradGuard no_grad;
  io::write_safetensors(arguments.output, {{"logits", run_forward(arguments).logits}});
}

void backward(const Arguments& arguments) {
  const Prepared prepared = run_forward(arguments);
  const at::Tensor& targets = prepared.input.at("targets");
  const int64_t classes = prepared.model->spec().num_classes;
  if (targets.scalar_type() != at::kLong || targets.dim() != 1 ||
      targets.size(0) != prepared.logits.size(0) ||
      (targets.numel() > 0 &&
       (targets.min().item<int64_t>() < 0 || targets.max().item<int64_t>() >= classes))) {
    fail_input("{}: tensor 'targets' must be [B] of type I64, from 0 to {}",
               prepared.input.path.string(), classes - 1);
  }
  at::cross_entropy_loss(prepared.logits, targets).backward();
  std::vector<Model::NamedTensor> gradients;
  for (const auto& [name, tensor] : prepared.model->parameters()) {
    gradients.emplace_back(name, tensor.grad().defined() ? tensor.grad() : at::zeros_like(tensor));
  }
  io::write_safetensors(arguments.output, gradients);
}

void create(const Arguments& arguments) {
  const auto& known = experiments::find_architecture(arguments.architecture);
  ModelSpec spec{.architecture = arguments.architecture, .image_size = known.image_size};
  if (arguments.num_classes > 0) spec.num_classes = arguments.num_classes;
  if (arguments.image_size > 0) spec.image_size = arguments.image_size;
  if (!arguments.spatial_prior.empty()) spec.spatial_prior = arguments.spatial_prior;
  spec.remixer = arguments.remixer;
  save_weights(*create_model(spec, static_cast<uint64_t>(arguments.seed)), arguments.output);
}

// Metadata for a file converted from another one, for `image_size`.
std::map<std::string, std::string> carried_metadata(const Arguments& arguments,
                                                    const io::Safetensors& weights,
                                                    const ModelSpec& spec) {
  std::map<std::string, std::string> metadata = weights.metadata;
  metadata["architecture"] = spec.architecture;
  metadata["spatial_prior"] = spec.spatial_prior;
  metadata["image_size"] = std::to_string(spec.image_size);
  const auto stored = stored_settings(weights);
  // If weights with an aux_head store no settings, it is unknown whether the patches vote.
  if (!stored && spec.token_classes > 0 && !arguments.wishes.token_vote) return metadata;
  evaluation::SettingsWishes wishes =
      worker::resolved_wishes(arguments.wishes, arguments.workspace);
  wishes.image_size = spec.image_size;
  auto evaluated = evaluation::settings_of(weights, spec.architecture, wishes);
  if (arguments.without_kappa) {
    evaluated.settings.labeler.reset();
    evaluated.settings.distance.clear();
    evaluated.settings.token_vote = false;
  }
  for (auto& [key, value] : metadata_of(evaluated.settings)) metadata[key] = value;
  return metadata;
}

// Converts from timm's names to our format: everything is checked, in float32.
void import_weights(const Arguments& arguments) {
  const io::Safetensors weights = io::read_weights(arguments.weights, arguments.key);
  ModelSpec spec = spec_of(arguments, weights);
  const bool had_kappa = spec.remixer;
  const auto metadata = carried_metadata(arguments, weights, spec);
  const auto model = create_model_to_load(spec);
  load_weights(*model, weights);
  if (!arguments.add_kappa || had_kappa) {
    save_weights(*model, arguments.output, metadata);
    return;
  }
  spec.remixer = true;
  const auto masked = create_model_to_load(spec);
  io::Safetensors with_kappa;
  with_kappa.path = arguments.weights;
  for (const auto& [name, tensor] : model->parameters()) with_kappa.tensors[name] = tensor;
  for (const auto& [name, tensor] : model->buffers()) with_kappa.tensors[name] = tensor;
  for (const auto& [name, tensor] : masked->parameters()) {
    if (is_kappa(name)) with_kappa.tensors[name] = tensor;
  }
  load_weights(*masked, with_kappa);
  save_weights(*masked, arguments.output, metadata);
}

at::ScalarType type_of(const std::string& name) {
  if (name == "f16") return at::kHalf;
  return name == "bf16" ? at::kBFloat16 : at::kFloat;
}

// Converts from our format to a file that timm's model of this name loads unchanged (without κ), or
// to a smaller type.
void export_weights(const Arguments& arguments) {
  const io::Safetensors weights = io::read_weights(arguments.weights, arguments.key);
  const ModelSpec spec = spec_of(arguments, weights);
  const auto model = create_model_to_load(spec);
  load_weights(*model, weights);
  std::vector<Model::NamedTensor> tensors;
  for (const auto& [name, tensor] : model->parameters()) {
    if (arguments.without_kappa && (is_kappa(name) || is_token_head(name))) continue;
    tensors.emplace_back(name, tensor.detach().to(type_of(arguments.type)));
  }
  for (const auto& [name, tensor] : model->buffers()) {
    tensors.emplace_back(name, tensor.to(type_of(arguments.type)));
  }
  io::write_safetensors(arguments.output, tensors, carried_metadata(arguments, weights, spec));
}

void add_model_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--arch", arguments.architecture, "architecture (see `remixer model list`)")
      ->required();
  command.add_option("--spatial-prior", arguments.spatial_prior,
                     "none or convit (default: the file's)");
  command.add_option("--num-classes", arguments.num_classes, "default: the file's");
  command.add_option(
      "--image-size", arguments.image_size,
      "default: the file's, else the architecture's; position embeddings are resampled");
  command
      .add_option("--weights", arguments.weights,
                  "safetensors file or .pth checkpoint with timm's names")
      ->required();
  command.add_option("--key", arguments.key,
                     "entry of a checkpoint that holds the weights, as model_ema (default: model, "
                     "state_dict or all of it)");
  command.add_option("--output", arguments.output, "safetensors file to write")->required();
}

CLI::App* add_create(CLI::App& app, Arguments& arguments) {
  auto* command =
      app.add_subcommand("create", "Write the initial weights of a training run with this seed");
  tools::add_example(*command,
                     "remixer model create --arch deit_nano_patch4_32 --seed 0 --output "
                     "initial.safetensors");
  command->add_option("--arch", arguments.architecture, "architecture (see `remixer model list`)")
      ->required();
  command->add_option("--spatial-prior", arguments.spatial_prior, "none (default) or convit");
  command->add_option("--num-classes", arguments.num_classes, "default: 1000");
  command->add_option("--image-size", arguments.image_size, "default: the architecture's");
  command->add_option("--seed", arguments.seed, "default: 0")->check(CLI::NonNegativeNumber);
  command->add_flag("--remixer", arguments.remixer, "with kappa = 0 in every block");
  command->add_option("--output", arguments.output, "safetensors file to write")->required();
  return command;
}

CLI::App* add_list(CLI::App& app, Arguments& arguments) {
  auto* list =
      app.add_subcommand("list", "List architectures and their sizes (parameters at 1000 classes)");
  tools::add_example(*list, "remixer model list --format csv");
  list->add_option("--format", arguments.format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  return list;
}

// `forward` or `backward`: `input` says what its input file holds.
CLI::App* add_run(CLI::App& app, const std::string& name, const std::string& description,
                  const std::string& input, Arguments& arguments) {
  auto* command = app.add_subcommand(name, description);
  tools::add_example(*command, fmt::format("remixer model {} --arch deit_nano_patch4_32 --weights "
                                           "model.safetensors --input batch.safetensors --output "
                                           "{}.safetensors",
                                           name, name == "forward" ? "logits" : "gradients"));
  add_model_options(*command, arguments);
  command->add_option("--distance", arguments.distance, "between labels: l1 (default) or cosine")
      ->check(CLI::IsMember({"l1", "cosine"}));
  command->add_option("--input", arguments.input, input)->required();
  return command;
}

CLI::App* add_import(CLI::App& app, Arguments& arguments) {
  auto* importing =
      app.add_subcommand("import", "Check weights with timm's names and convert them");
  tools::add_example(*importing,
                     "remixer model import --arch deit_small_patch16_224 --weights "
                     "deit_small_patch16_224.pth --output deit_small.safetensors");
  add_model_options(*importing, arguments);
  worker::add_wishes(*importing, arguments.wishes, /*own_size=*/false);
  tools::add_workspace(*importing, arguments.workspace);
  importing->add_flag("--add-kappa", arguments.add_kappa, "make a ReMixer model, every kappa 0");
  return importing;
}

CLI::App* add_export(CLI::App& app, Arguments& arguments) {
  auto* exporting = app.add_subcommand("export", "Export weights for other programs");
  tools::add_example(*exporting,
                     "remixer model export --arch deit_small_patch16_224 --weights "
                     "model.safetensors --without-kappa --output timm.safetensors");
  add_model_options(*exporting, arguments);
  exporting->add_flag("--without-kappa", arguments.without_kappa,
                      "leave kappa and aux_head out, as timm's models need");
  exporting->add_option("--type", arguments.type, "f32, f16 or bf16")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}));
  return exporting;
}

}  // namespace

int model_command(int argc, char** argv, const std::vector<ModelSubcommand>& further) {
  for (const ModelSubcommand& subcommand : further) {
    if (argc > 1 && std::strcmp(argv[1], subcommand.name) == 0) {
      return subcommand.run(argc - 1, argv + 1);
    }
  }
  Arguments arguments;
  CLI::App app("List and run models, convert weights", "remixer model");
  tools::add_example(app, "remixer model list");
  app.require_subcommand(1);
  const auto* list = add_list(app, arguments);
  const auto* creating = add_create(app, arguments);
  const auto* run =
      add_run(app, "forward", "Compute logits of images (and labels), in evaluation mode",
              "safetensors file with images and labels", arguments);
  const auto* gradients =
      add_run(app, "backward", "Compute the gradient of the mean cross-entropy for each parameter",
              "safetensors file with images, labels and targets", arguments);
  const auto* importing = add_import(app, arguments);
  const auto* exporting = add_export(app, arguments);
  // Only for the list in --help: they are handled earlier.
  for (const ModelSubcommand& subcommand : further) {
    app.add_subcommand(subcommand.name, subcommand.description);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << "remixer model: " << error.what() << " (see remixer model --help)\n";
    return kExitBadInput;
  }
  if (*list) list_models(arguments);
  if (*creating) create(arguments);
  if (*run) forward(arguments);
  if (*gradients) backward(arguments);
  if (*importing) import_weights(arguments);
  if (*exporting) export_weights(arguments);
  return kExitDone;
}

}  // namespace remixer::models
