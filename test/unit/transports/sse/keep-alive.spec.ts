import { KeepAlive, type KeptStream } from '../../../../lib/transports/sse/keep-alive';

class TestStream implements KeptStream {
  nextComment = 0;
  blockedSince = 0;
  comments = 0;
  overflows = 0;

  comment(): void {
    this.comments++;
  }

  overflow(): void {
    this.overflows++;
  }
}

describe('keeping streams alive', () => {
  let keepAlive: KeepAlive;
  let stream: TestStream;

  beforeEach(() => {
    jest.useFakeTimers();
    keepAlive = new KeepAlive({ interval: 30_000, writeTimeout: 10_000 });
    stream = new TestStream();
    keepAlive.add(stream);
  });
  afterEach(() => {
    keepAlive.stop();
    jest.useRealTimers();
  });

  it('comments at each interval, the first a little early', () => {
    jest.advanceTimersByTime(22_000);
    expect(stream.comments).toBe(0);
    jest.advanceTimersByTime(10_000);
    expect(stream.comments).toBe(1);
    jest.advanceTimersByTime(300_000);
    expect(stream.comments).toBeGreaterThanOrEqual(9);
    expect(stream.comments).toBeLessThanOrEqual(11);
  });

  it('adds nothing to what waits, and ends a stream whose write has waited for too long', () => {
    // Jest's clock begins at 0, which here means that nothing waits.
    jest.advanceTimersByTime(1_000);
    stream.blockedSince = performance.now();
    jest.advanceTimersByTime(9_000);
    expect(stream.overflows).toBe(0);
    jest.advanceTimersByTime(3_000);
    expect(stream.overflows).toBeGreaterThan(0);
    expect(stream.comments).toBe(0);
  });

  it('runs no timer without streams', () => {
    keepAlive.remove(stream);
    expect(jest.getTimerCount()).toBe(0);
    keepAlive.add(stream);
    expect(jest.getTimerCount()).toBe(1);
  });
});
