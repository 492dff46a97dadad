'use strict';

// What the page says, in the languages it speaks. A code without a word is shown as it is.
window.trackWords = {
  en: {
    title: 'Order', other: '中文', live: 'Live', connecting: 'Connecting…', lost: 'Connection lost; trying again…',
    closed: 'This link has expired or was withdrawn. Ask whoever sent it to you for a new one.',
    missing: 'This address is not complete: open the whole link that was sent to you.',
    none: 'This order can no longer be shown.', ordered: 'Ordered', expected: 'Wanted by', goods: 'What was ordered',
    progress: 'Progress', deliveries: 'Deliveries', question: 'We have a question', answer: 'Your answer',
    send: 'Send', sent: 'Thank you. We go on with your order.', failed: 'That did not work:', arrives: 'expected',
    late: 'The date you wanted has passed; we are sorry.', hold: 'Your order is on hold for the moment.', due: 'until',
    offer: 'Something is missing: please choose', accept: 'Accept', decline: 'None of these', total: 'total',
    declined: 'Declined on the tracking page.',
    change: {
      LATER_DATE: 'Deliver later', SPLIT_DELIVERY: 'What is there now, the rest later', SUBSTITUTE: 'Something else instead',
      REDUCE_QUANTITY: 'Less', CANCEL_LINE: 'Without it',
    },
    stage: {
      INTAKE: 'Received', REVIEW: 'In review', ALLOCATION: 'Approved', EXECUTION: 'In work', DELIVERY: 'On its way',
      COMPLETED: 'Completed', ENDED: 'Ended',
    },
    status: {
      REJECTED: 'Your order could not be accepted.', CANCELLED: 'Your order was cancelled.',
      CANCELLATION_PENDING: 'Cancellation was asked for.', EXPIRED: 'Your order expired without an answer.',
    },
    milestone: { PENDING: 'to come', IN_PROGRESS: 'in work', COMPLETED: 'done', BLOCKED: 'delayed', SKIPPED: 'not needed' },
    delivery: {
      PLANNED: 'being prepared', BOOKED: 'booked', READY_FOR_PICKUP: 'ready for pickup', SCHEDULED: 'scheduled',
      DISPATCHED: 'left our house', IN_TRANSIT: 'on its way', IN_SERVICE: 'in progress',
      ATTEMPT_FAILED: 'could not be delivered', DELIVERED: 'delivered', CANCELLED: 'cancelled',
    },
    tracking: {
      PICKED_UP: 'picked up by the carrier', IN_TRANSIT: 'on its way', OUT_FOR_DELIVERY: 'out for delivery',
      ATTEMPT_FAILED: 'could not be delivered', DELIVERED: 'delivered',
    },
  },
  zh: {
    title: '订单', other: 'English', live: '实时更新', connecting: '正在连接…', lost: '连接中断，正在重试…',
    closed: '此链接已过期或已被撤销，请向发送者索取新的链接。', missing: '地址不完整，请打开收到的完整链接。',
    none: '此订单已无法显示。', ordered: '下单时间', expected: '期望交付日期', goods: '订购内容', progress: '进度',
    deliveries: '配送', question: '需要您确认', answer: '您的回复', send: '发送', sent: '谢谢，我们将继续处理您的订单。',
    failed: '操作未成功：', arrives: '预计送达', late: '已超过期望日期，非常抱歉。', hold: '订单暂时挂起。', due: '截止',
    offer: '部分商品缺货，请选择', accept: '接受', decline: '都不要', total: '合计', declined: '在跟踪页面上拒绝。',
    change: {
      LATER_DATE: '延后交付', SPLIT_DELIVERY: '先发现货，其余后发', SUBSTITUTE: '替代商品', REDUCE_QUANTITY: '减少数量', CANCEL_LINE: '取消该项',
    },
    stage: {
      INTAKE: '已接收', REVIEW: '审核中', ALLOCATION: '已批准', EXECUTION: '处理中', DELIVERY: '配送中',
      COMPLETED: '已完成', ENDED: '已结束',
    },
    status: {
      REJECTED: '订单未能受理。', CANCELLED: '订单已取消。', CANCELLATION_PENDING: '已申请取消。', EXPIRED: '订单因未回复而失效。',
    },
    milestone: { PENDING: '待开始', IN_PROGRESS: '进行中', COMPLETED: '已完成', BLOCKED: '有延误', SKIPPED: '无需进行' },
    delivery: {
      PLANNED: '准备中', BOOKED: '已预约', READY_FOR_PICKUP: '可自提', SCHEDULED: '已排期', DISPATCHED: '已发货',
      IN_TRANSIT: '运输中', IN_SERVICE: '服务中', ATTEMPT_FAILED: '未能送达', DELIVERED: '已送达', CANCELLED: '已取消',
    },
    tracking: {
      PICKED_UP: '承运商已揽收', IN_TRANSIT: '运输中', OUT_FOR_DELIVERY: '派送中', ATTEMPT_FAILED: '未能送达', DELIVERED: '已送达',
    },
  },
};
