// Runs a model: the steps that model.js describes, on its arrays. What tenfold.modelfile.run_npz does in Python.
"use strict";

const { probabilities } = (() => {
  const SIDE = 28;

  // Arrays come as base64 of little-endian float32, as any machine that runs a browser keeps them.
  function opened({ description, arrays }) {
    const decoded = {};
    for (const [name, { shape, base64 }] of Object.entries(arrays)) {
      const raw = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      decoded[name] = { shape, values: new Float32Array(raw.buffer) };
    }
    return { description, arrays: decoded };
  }

  let model = null;

  // 784 bytes of a picture in canonical form -> ten probabilities.
  function probabilities(pixels) {
    model ??= opened(MODEL);
    const { description, arrays } = model;
    const sum = new Array(10).fill(0);
    for (const [down, right] of description.places) {
      const x = new Float32Array(SIDE * SIDE);
      for (let row = Math.max(down, 0); row < SIDE + Math.min(down, 0); row++) {
        for (let column = Math.max(right, 0); column < SIDE + Math.min(right, 0); column++) {
          x[row * SIDE + column] = pixels[(row - down) * SIDE + column - right] * description.pixel_scale;
        }
      }
      for (const steps of description.networks) {
        const { values: logits } = through(steps, arrays, { height: SIDE, width: SIDE, channels: 1, values: x });
        const largest = Math.max(...logits);
        const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
        const whole = powers.reduce((a, b) => a + b);
        powers.forEach((power, digit) => { sum[digit] += power / whole; });
      }
    }
    return sum.map((share) => share / (description.places.length * description.networks.length));
  }

  function through(steps, arrays, x) {
    for (const step of steps) {
      const own = (name) => (step[name] ? arrays[step[name]] : null);
      switch (step.op) {
        case "dense": x = dense(x, own("kernel"), own("bias")); break;
        case "conv2d": x = conv2d(x, own("kernel"), own("bias"), step); break;
        case "batchnorm": x = batchnorm(x, own, step.epsilon); break;
        case "maxpool": x = maxpool(x, step.size); break;
        case "globalaveragepool": x = average(x); break;
        case "relu": x = { ...x, values: x.values.map((value) => Math.max(value, 0)) }; break;
        case "flatten": x = { height: 1, width: 1, channels: x.values.length, values: x.values }; break;
        case "residual": {
          const inner = through(step.steps, arrays, x).values;
          x = { ...x, values: x.values.map((value, i) => value + inner[i]) };
          break;
        }
        default: throw new Error(`This page does not know the step ${step.op}.`);
      }
    }
    return x;
  }

  function dense({ values }, kernel, bias) {
    const [inputs, outputs] = kernel.shape;
    const sums = bias ? Float64Array.from(bias.values) : new Float64Array(outputs);
    for (let i = 0; i < inputs; i++) {
      const value = values[i];
      if (value === 0) continue;
      for (let o = 0; o < outputs; o++) sums[o] += value * kernel.values[i * outputs + o];
    }
    return { height: 1, width: 1, channels: outputs, values: Float32Array.from(sums) };
  }

  function conv2d(x, kernel, bias, { stride, padding }) {
    const [high, wide, inputs, outputs] = kernel.shape;
    const [[above, below], [before, after]] = padding;
    const height = Math.floor((x.height + above + below - high) / stride) + 1;
    const width = Math.floor((x.width + before + after - wide) / stride) + 1;
    const values = new Float32Array(height * width * outputs);
    const sums = new Float64Array(outputs);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        if (bias) sums.set(bias.values); else sums.fill(0);
        for (let i = 0; i < high; i++) {
          const y = row * stride + i - above;
          if (y < 0 || y >= x.height) continue;
          for (let j = 0; j < wide; j++) {
            const at = column * stride + j - before;
            if (at < 0 || at >= x.width) continue;
            const from = (y * x.width + at) * inputs, weights = (i * wide + j) * inputs;
            for (let c = 0; c < inputs; c++) {
              const value = x.values[from + c];
              if (value === 0) continue;
              const k = (weights + c) * outputs;
              for (let o = 0; o < outputs; o++) sums[o] += value * kernel.values[k + o];
            }
          }
        }
        values.set(sums, (row * width + column) * outputs);
      }
    }
    return { height, width, channels: outputs, values };
  }

  function batchnorm(x, own, epsilon) {
    const [gamma, beta, mean, variance] = ["gamma", "beta", "moving_mean", "moving_variance"].map((name) => own(name).values);
    const scale = gamma.map((value, c) => value / Math.sqrt(variance[c] + epsilon));
    const values = x.values.map((value, i) => {
      const c = i % x.channels;
      return (value - mean[c]) * scale[c] + beta[c];
    });
    return { ...x, values };
  }

  function maxpool(x, size) {
    const height = Math.floor(x.height / size), width = Math.floor(x.width / size);
    const values = new Float32Array(height * width * x.channels).fill(-Infinity);
    for (let row = 0; row < height * size; row++) for (let column = 0; column < width * size; column++) {
      const to = (Math.floor(row / size) * width + Math.floor(column / size)) * x.channels;
      const from = (row * x.width + column) * x.channels;
      for (let c = 0; c < x.channels; c++) values[to + c] = Math.max(values[to + c], x.values[from + c]);
    }
    return { ...x, height, width, values };
  }

  function average(x) {
    const sums = new Float64Array(x.channels);
    x.values.forEach((value, i) => { sums[i % x.channels] += value; });
    const values = Float32Array.from(sums, (sum) => sum / (x.height * x.width));
    return { height: 1, width: 1, channels: x.channels, values };
  }

  return { probabilities };
})();
