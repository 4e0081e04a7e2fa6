// A simulated sensor in place of the browser's Bluetooth and serial port: window.sensor.send(base64) delivers bytes.
(() => {
  const sensor = { takers: [], opened: [], closed: 0 };
  window.sensor = sensor;
  sensor.send = (text) => {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    for (const take of sensor.takers) take(bytes);
  };
  const replace = (name, value) => Object.defineProperty(navigator, name, { value, configurable: true });
  replace("serial", {
    async requestPort() {
      return {
        async open({ baudRate }) {
          sensor.opened.push(baudRate);
          this.readable = new ReadableStream({
            start(controller) {
              sensor.takers.push((bytes) => controller.enqueue(bytes));
              sensor.unplug = () => controller.error(new Error("unplugged"));
            },
            cancel: () => sensor.closed++,
          });
        },
        async close() {
          sensor.closed++;
        },
      };
    },
  });
  replace("bluetooth", {
    async requestDevice(request) {
      if (sensor.refuse) throw Object.assign(new Error("User cancelled"), { name: "NotFoundError" });
      sensor.opened.push(request.filters[0].services[0]);
      const device = new EventTarget();
      const characteristic = new EventTarget();
      characteristic.startNotifications = async () => {
        sensor.takers.push((bytes) => {
          characteristic.value = new DataView(bytes.buffer);
          characteristic.dispatchEvent(new Event("characteristicvaluechanged"));
        });
      };
      sensor.unplug = () => device.dispatchEvent(new Event("gattserverdisconnected"));
      device.gatt = {
        connect: async () => ({
          getPrimaryService: async () => ({ getCharacteristic: async () => characteristic }),
        }),
        disconnect: () => sensor.closed++,
      };
      return device;
    },
  });
})();
