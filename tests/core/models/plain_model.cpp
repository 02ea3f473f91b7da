// SPDX-License-Identifier: Apache-2.0
#include "tests/core/models/plain_model.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "tests/core/kernels/numeric.h"

namespace remixer::testing {
namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;  // tokens × channels

class Plain {
 public:
  Plain(const models::Model& model, const at::Tensor& distance)
      : grid_(model.grid()), distance_(distance) {
    for (const auto& [name, tensor] : model.parameters()) add(name, tensor);
    for (const auto& [name, tensor] : model.buffers()) add(name, tensor);
  }

  Row logits(const at::Tensor& image) const {
    if (has("stem.proj.weight")) return mixer(image);
    if (has("stem.0.weight")) return convmixer(image);
    return transformer(image);
  }

 private:
  void add(const std::string& name, const at::Tensor& tensor) {
    values_[name] = tensor.detach().to(at::kDouble).contiguous();
  }
  bool has(const std::string& name) const { return values_.count(name) != 0; }
  const double* data(const std::string& name) const {
    return values_.at(name).const_data_ptr<double>();
  }
  int64_t size(const std::string& name, int64_t d) const { return values_.at(name).size(d); }

  double mask(const std::string& block, int64_t i, int64_t j) const {
    const std::string kappa = block + ".remixer.kappa";
    return has(kappa) ? std::exp(-data(kappa)[0] * distance_[i][j].item<double>()) : 1;
  }

  Row linear(const std::string& name, const Row& x) const {
    const int64_t out = size(name + ".weight", 0);
    Row y(out, 0);
    for (int64_t o = 0; o < out; ++o) {
      if (has(name + ".bias")) y[o] = data(name + ".bias")[o];
      for (size_t i = 0; i < x.size(); ++i) y[o] += data(name + ".weight")[o * x.size() + i] * x[i];
    }
    return y;
  }
  Rows linear(const std::string& name, const Rows& x) const {
    Rows y;
    for (const Row& row : x) y.push_back(linear(name, row));
    return y;
  }
  Row norm(const std::string& name, const Row& x) const {
    double mean = 0, variance = 0;
    for (const double v : x) mean += v / x.size();
    for (const double v : x) variance += (v - mean) * (v - mean) / x.size();
    Row y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      y[i] = (x[i] - mean) / std::sqrt(variance + 1e-6) * data(name + ".weight")[i] +
             data(name + ".bias")[i];
    }
    return y;
  }
  Rows norm(const std::string& name, const Rows& x) const {
    Rows y;
    for (const Row& row : x) y.push_back(norm(name, row));
    return y;
  }
  Rows batch_norm(const std::string& name, const Rows& x) const {
    Rows y = x;
    for (Row& row : y) {
      for (size_t c = 0; c < row.size(); ++c) {
        row[c] = (row[c] - data(name + ".running_mean")[c]) /
                     std::sqrt(data(name + ".running_var")[c] + 1e-5) * data(name + ".weight")[c] +
                 data(name + ".bias")[c];
      }
    }
    return y;
  }
  static Rows gelu(Rows x) {
    for (Row& row : x) {
      for (double& v : row) v = v / 2 * (1 + std::erf(v / std::numbers::sqrt2));
    }
    return x;
  }
  static Rows sum(Rows x, const Rows& y) {
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t c = 0; c < x[i].size(); ++c) x[i][c] += y[i][c];
    }
    return x;
  }
  static Rows transpose(const Rows& x) {
    Rows y(x[0].size(), Row(x.size()));
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t c = 0; c < x[i].size(); ++c) y[c][i] = x[i][c];
    }
    return y;
  }
  static Row mean(const Rows& x) {
    Row y(x[0].size(), 0);
    for (const Row& row : x) {
      for (size_t c = 0; c < row.size(); ++c) y[c] += row[c] / x.size();
    }
    return y;
  }
  static Row softmax(Row x) {
    double total = 0;
    for (double& v : x) total += v = std::exp(v);
    for (double& v : x) v /= total;
    return x;
  }

  // A convolution whose stride is its size.
  Rows patches(const std::string& name, const at::Tensor& image) const {
    const int64_t patch = size(name + ".weight", 2), width = size(name + ".weight", 0);
    const auto pixel = image.accessor<double, 3>();
    Rows x(grid_ * grid_, Row(width));
    for (int64_t n = 0; n < grid_ * grid_; ++n) {
      for (int64_t o = 0; o < width; ++o) {
        double total = data(name + ".bias")[o];
        for (int64_t c = 0; c < 3; ++c) {
          for (int64_t r = 0; r < patch; ++r) {
            for (int64_t s = 0; s < patch; ++s) {
              total += data(name + ".weight")[((o * 3 + c) * patch + r) * patch + s] *
                       pixel[c][n / grid_ * patch + r][n % grid_ * patch + s];
            }
          }
        }
        x[n][o] = total;
      }
    }
    return x;
  }

  static double dot(const Row& a, int64_t a_at, const Row& b, int64_t b_at, int64_t count) {
    double total = 0;
    for (int64_t c = 0; c < count; ++c) total += a[a_at + c] * b[b_at + c];
    return total;
  }

  // softmax(q kᵀ / √d), gated with the positional softmax where there is one, ⊙ M, renormalised.
  Rows attention(const std::string& block, const Rows& x, int64_t prefix) const {
    const std::string name = block + ".attn";
    const bool gated = has(name + ".gating_param");
    const int64_t width = x[0].size(), tokens = x.size(), heads = heads_of(name, width),
                  depth = width / heads;
    const Rows qk = linear(name + (gated ? ".qk" : ".qkv"), x);
    const Rows v = gated ? linear(name + ".v", x) : qk;
    const int64_t v_at = gated ? 0 : 2 * width;
    Rows y(tokens, Row(width, 0));
    for (int64_t h = 0; h < heads; ++h) {
      for (int64_t i = 0; i < tokens; ++i) {
        Row scores(tokens), places(tokens);
        for (int64_t j = 0; j < tokens; ++j) {
          scores[j] = dot(qk[i], h * depth, qk[j], width + h * depth, depth) / std::sqrt(depth);
          if (gated) places[j] = position(name, h, i, j);
        }
        Row a = softmax(scores);
        if (gated) {
          const Row b = softmax(places);
          const double gate = 1 / (1 + std::exp(-data(name + ".gating_param")[h]));
          for (int64_t j = 0; j < tokens; ++j) a[j] = (1 - gate) * a[j] + gate * b[j];
        }
        double total = 0;
        for (int64_t j = 0; j < tokens; ++j) {
          if (i >= prefix && j >= prefix) a[j] *= mask(block, i - prefix, j - prefix);
          total += a[j];
        }
        for (int64_t j = 0; j < tokens; ++j) {
          for (int64_t c = 0; c < depth; ++c)
            y[i][h * depth + c] += a[j] / total * v[j][v_at + h * depth + c];
        }
      }
    }
    return linear(name + ".proj", y);
  }
  // Of DeiT-nano: heads of 16 channels.
  int64_t heads_of(const std::string& name, int64_t width) const {
    return has(name + ".gating_param") ? size(name + ".gating_param", 0) : width / 16;
  }
  double position(const std::string& name, int64_t head, int64_t i, int64_t j) const {
    const double right = j % grid_ - i % grid_, down = j / grid_ - i / grid_;
    const double* w = data(name + ".pos_proj.weight") + 3 * head;
    return w[0] * right + w[1] * down + w[2] * (right * right + down * down) +
           data(name + ".pos_proj.bias")[head];
  }

  Rows mlp(const std::string& name, const Rows& x) const {
    return linear(name + ".fc2", gelu(linear(name + ".fc1", x)));
  }

  Row transformer(const at::Tensor& image) const {
    Rows x = patches("patch_embed.proj", image);
    const auto width = static_cast<int64_t>(x[0].size());
    const Row cls(data("cls_token"), data("cls_token") + width);
    const bool local = has("blocks.0.attn.gating_param");
    if (!local) x.insert(x.begin(), cls);
    for (size_t i = 0; i < x.size(); ++i) {
      for (int64_t c = 0; c < width; ++c) x[i][c] += data("pos_embed")[i * width + c];
    }
    for (int64_t i = 0; has(block(i) + ".norm1.weight"); ++i) {
      const bool gated = has(block(i) + ".attn.gating_param");
      if (!gated && static_cast<int64_t>(x.size()) == grid_ * grid_) x.insert(x.begin(), cls);
      x = sum(x, attention(block(i), norm(block(i) + ".norm1", x), gated ? 0 : 1));
      x = sum(x, mlp(block(i) + ".mlp", norm(block(i) + ".norm2", x)));
    }
    return linear("head", norm("norm", x[0]));
  }

  Row mixer(const at::Tensor& image) const {
    Rows x = patches("stem.proj", image);
    for (int64_t i = 0; has(block(i) + ".norm1.weight"); ++i) {
      x = sum(x, token_mlp(block(i), norm(block(i) + ".norm1", x)));
      x = sum(x, mlp(block(i) + ".mlp_channels", norm(block(i) + ".norm2", x)));
    }
    return linear("head", mean(norm("norm", x)));
  }
  // The linear part W2 W1 is taken out and put back masked.
  Rows token_mlp(const std::string& block, const Rows& x) const {
    const std::string name = block + ".mlp_tokens";
    Rows y = transpose(mlp(name, transpose(x)));
    const int64_t hidden = size(name + ".fc1.weight", 0), n = x.size();
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double w = 0;
        for (int64_t h = 0; h < hidden; ++h) {
          w += data(name + ".fc2.weight")[i * hidden + h] * data(name + ".fc1.weight")[h * n + j];
        }
        for (size_t c = 0; c < x[0].size(); ++c) y[i][c] += (mask(block, i, j) * w - w) * x[j][c];
      }
    }
    return y;
  }

  Row convmixer(const at::Tensor& image) const {
    Rows x = batch_norm("stem.2", gelu(patches("stem.0", image)));
    for (int64_t i = 0; has(block(i) + ".1.weight"); ++i) {
      x = sum(x, batch_norm(block(i) + ".0.fn.2", gelu(convolution(block(i), x))));
      x = batch_norm(block(i) + ".3", gelu(linear(block(i) + ".1", x)));
    }
    return linear("head", mean(x));
  }
  Rows convolution(const std::string& block, const Rows& x) const {
    const std::string name = block + ".0.fn.0";
    const int64_t kernel = size(name + ".weight", 2), reach = kernel / 2;
    const bool shared = size(name + ".weight", 0) == 1;
    Rows y = x;
    for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
      for (size_t c = 0; c < x[0].size(); ++c) {
        const size_t k = shared ? 0 : c;
        y[i][c] = data(name + ".bias")[k];
        for (int64_t j = 0; j < static_cast<int64_t>(x.size()); ++j) {
          const int64_t down = j / grid_ - i / grid_, right = j % grid_ - i % grid_;
          if (std::abs(down) > reach || std::abs(right) > reach) continue;
          y[i][c] += mask(block, i, j) * x[j][c] *
                     data(name + ".weight")[(k * kernel + down + reach) * kernel + right + reach];
        }
      }
    }
    return y;
  }

  static std::string block(int64_t i) { return "blocks." + std::to_string(i); }

  int64_t grid_;
  at::Tensor distance_;  // [N, N]
  std::map<std::string, at::Tensor> values_;
};

}  // namespace

at::Tensor plain_logits(const models::Model& model, const at::Tensor& images,
                        const std::optional<at::Tensor>& distance) {
  const int64_t classes = model.spec().num_classes;
  at::Tensor all = at::empty({images.size(0), classes}, at::kDouble);
  for (int64_t b = 0; b < images.size(0); ++b) {
    const Plain plain(model, distance ? (*distance)[b].to(at::kDouble) : at::Tensor());
    const Row row = plain.logits(images[b].to(at::kDouble).contiguous());
    for (int64_t c = 0; c < classes; ++c) all.mutable_data_ptr<double>()[b * classes + c] = row[c];
  }
  return all;
}

std::unique_ptr<models::Model> random_model(const models::ModelSpec& spec) {
  auto model = models::create_model(spec, 1);
  Draw draw(51);
  for (auto list : {model->parameters(), model->buffers()}) {
    for (auto& [name, tensor] : list) {
      at::Tensor values = draw.normal(tensor.sizes()) * 0.2;
      if (models::is_kappa(name)) values = draw.uniform(tensor.sizes(), 0.3, 0.9);
      if (name.ends_with("running_var")) values = draw.uniform(tensor.sizes(), 0.5, 2);
      tensor.set_data(values);
    }
  }
  return model;
}

models::ModelSpec small_spec(const std::string& architecture, bool remixer,
                             const std::string& spatial_prior) {
  return {.architecture = architecture,
          .spatial_prior = spatial_prior,
          .num_classes = 5,
          .image_size = 12,
          .remixer = remixer};
}

}  // namespace remixer::testing
